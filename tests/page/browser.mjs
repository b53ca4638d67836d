// A Chromium without a window: $BROWSER_PATH, one on $PATH, or for Linux the one from npm, unpacked beside this file.

import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import puppeteer from "puppeteer-core";

const NAMES = ["chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable", "chromium-browser"];

export async function browser() {
  const given = process.env.BROWSER_PATH ?? onPath();
  const { executablePath, env } = given ? { executablePath: given, env: process.env } : await unpacked();
  // In a container there is neither a user for Chromium's own sandbox nor room in /dev/shm. It is shown our page alone.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  return puppeteer.launch({ executablePath, env, headless: "shell", args });
}

function onPath() {
  const paths = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function unpacked() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`no browser was found: put ${NAMES[0]} or ${NAMES[2]} on $PATH, or name one in $BROWSER_PATH`);
  }
  const folder = join(import.meta.dirname, "node_modules", ".browser");
  mkdirSync(folder, { recursive: true });
  // It unpacks into the folder for temporary files, and comes with the few libraries that a server may lack.
  process.env.TMPDIR = folder;
  const { default: chromium } = await import("@sparticuz/chromium");
  const libraries = join(import.meta.dirname, "node_modules/@sparticuz/chromium/bin/al2023.tar.br");
  execFileSync("tar", ["-x", "-C", folder], { input: brotliDecompressSync(readFileSync(libraries)) });
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, "lib") };
  return { executablePath: await chromium.executablePath(), env };
}
