// `keyless sandbox`, and `keyless serve` on it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const KEYLESS = process.env.KEYLESS;

export async function sandbox() {
  const process = start(["sandbox", "--json"], ["ignore", "pipe", "inherit"]);
  const [line] = await once(createInterface({ input: process.stdout }), "line");
  const facts = JSON.parse(line);
  return {
    ...facts,
    admin: async (method, path, body) => {
      const answer = await fetch(facts.admin + path, { method, body: body && JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    },
    stop: () => stop(process),
  };
}

// `listeners`: the names to wait for, as between the brackets of the file. Resolves to their addresses.
export async function serve(file, sandbox, listeners) {
  const folder = mkdtempSync(join(tmpdir(), "keyless-page-"));
  writeFileSync(join(folder, "keyless.toml"), file, { mode: 0o600 });
  const process = start(
    ["serve", "-f", join(folder, "keyless.toml"), "--ca-cert", sandbox.ca_file, "--log-format", "json", "-v"],
    ["ignore", "ignore", "pipe"],
  );
  const addresses = {};
  const lines = createInterface({ input: process.stderr });
  const listening = new Promise((resolve, reject) => {
    const said = [];
    lines.on("line", (line) => {
      said.push(line);
      const { message, listener, address } = JSON.parse(line);
      if (message === "listening") addresses[listener] = address;
      if (listeners.every((name) => name in addresses)) resolve();
    });
    lines.on("close", () => reject(new Error(`keyless serve has ended:\n${said.join("\n")}`)));
  });
  await listening;
  return {
    addresses,
    stop: async () => {
      await stop(process);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// Without what this machine happens to say of connections and proxies.
function start(args, stdio) {
  const { PATH, HOME } = process.env;
  return spawn(KEYLESS, args, { stdio, env: { PATH, HOME } });
}

async function stop(process) {
  if (process.exitCode !== null) return;
  const ended = once(process, "exit");
  process.kill("SIGTERM");
  await ended;
}
