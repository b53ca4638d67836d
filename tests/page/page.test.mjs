// The status page in a real browser, in front of a real `keyless serve` whose token endpoint fails, comes back and renews.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser as launch } from "./browser.mjs";
import { sandbox as startSandbox, serve } from "./served.mjs";

const PATIENCE = { timeout: 60_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let sandbox, served, browser, page, ops, endpoint;
const complaints = [];

before(async () => {
  sandbox = await startSandbox();
  await sandbox.admin("POST", "/faults", { service: "exchange", fault: { kind: "status", status: 503 } });
  const file = `
    [connections]
    workload = '${sandbox.documents.native}'
    laptop = '${sandbox.documents.native_static}'
    [endpoint.local]
    listen = "127.0.0.1:0"
    [proxy.api]
    listen = "127.0.0.1:0"
    routes = [{ prefix = "/gone", connection = "laptop", upstream = "http://127.0.0.1:1" }]
    [ops]
    listen = "127.0.0.1:0"
  `;
  served = await serve(file, sandbox, ["ops", "endpoint.local", "proxy.api"]);
  ops = `http://${served.addresses.ops}`;
  endpoint = `http://${served.addresses["endpoint.local"]}/v1/credential`;
  browser = await launch();
  page = await browser.newPage();
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  await page.setViewport({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
});

after(async () => {
  await browser?.close();
  await served?.stop();
  await sandbox?.stop();
});

const card = (name) => `#connections > [data-name="${name}"]`;
const words = (selector) => page.$eval(selector, (element) => element.innerText);
const says = (selector, expected) =>
  page.waitForFunction(
    (selector, expected) => document.querySelector(selector)?.innerText.includes(expected),
    PATIENCE,
    selector,
    expected,
  );

test("a token endpoint that is down is shown with its remedy", async () => {
  await page.goto(ops);
  await says(`${card("workload")} .phase`, "No credential");
  assert.match(await words("#summary"), /^1 of 2 connections without a usable credential: workload\.$/);
  assert.match(await page.title(), /^\(!\) /);
  const problem = await words(`${card("workload")} .problem`);
  assert.match(problem, /503[^]*it is asked again[^]*endpoint-failed/);
  assert.ok(await page.$(`${card("workload")} .lease.none`));
  assert.match(await words(card("laptop")), /Fresh[^]*It does not expire\./);

  const ready = await fetch(`${ops}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual((await ready.json()).without_credential.map((each) => each.connection), ["workload"]);
});

test("it follows the recovery and a renewal without being loaded again", async () => {
  await page.evaluate(() => (globalThis.loaded = "once"));
  await sandbox.admin("DELETE", "/faults");
  await says(`${card("workload")} .phase`, "Fresh");
  await says("#summary", "All 2 connections hold a usable credential.");
  assert.equal(await page.title(), "Keyless");
  assert.equal(await words(`${card("workload")} [data-is="generation"]`), "1");
  assert.equal(await page.$eval(`${card("workload")} .problem`, (problem) => problem.hidden), true);
  assert.equal((await fetch(`${ops}/readyz`)).status, 200);

  const rejected = await fetch(`${endpoint}/workload/rejected`, { method: "POST", body: '{"generation":1}' });
  assert.equal(rejected.status, 204);
  await says(`${card("workload")} [data-is="generation"]`, "2");
  await says(`${card("workload")} .phase`, "Fresh");
  assert.equal(await page.evaluate(() => globalThis.loaded), "once");
});

test("what happens to requests is shown at their listener", async () => {
  const listener = `#listeners > [data-name="proxy.api"]`;
  assert.ok((await words(listener)).includes(served.addresses["proxy.api"]));
  assert.equal(await words(`${listener} .events`), "");
  assert.equal((await fetch(`http://${served.addresses["proxy.api"]}/gone/models`)).status, 502);
  await says(`${listener} .events`, "Upstream unreachable\n1");
  await says(`${listener} [data-is="5xx"]`, "1");
});

test("the timeline goes from the moment it was obtained to the end, and says so in words", async () => {
  const lease = `${card("workload")} .lease`;
  assert.match(await page.$eval(lease, (bar) => bar.getAttribute("aria-label")), /^Obtained .+\. Renewal .+, in .+\. End .+, in .+\.$/);
  const { whole, used, margin } = await page.$eval(lease, (bar) => ({
    whole: bar.getBoundingClientRect().width,
    used: bar.querySelector(".used").getBoundingClientRect().width,
    margin: bar.querySelector(".margin").getBoundingClientRect().width,
  }));
  assert.ok(used < whole * 0.1, `hardly begun: ${used} of ${whole}`);
  const report = await (await fetch(`${ops}/status.json`)).json();
  const workload = report.connections.find((each) => each.name === "workload");
  const [from, renewal, to] = [workload.obtained_at, workload.renew_at, workload.expires_at].map(Date.parse);
  const expected = (whole * (to - renewal)) / (to - from);
  assert.ok(Math.abs(margin - expected) < 2, `${margin} px from the renewal on, and not ${expected}`);
  const before = await page.$eval(lease, (bar) => bar.getAttribute("aria-label"));
  await page.waitForFunction(
    (selector, before) => document.querySelector(selector).getAttribute("aria-label") !== before,
    PATIENCE,
    lease,
    before,
  );
});

test("nothing needs a wider screen, a colour or a mouse", async () => {
  for (const [width, scheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
    await page.setViewport({ width, height: 740 });
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: scheme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(needed <= width, `${needed} px on a screen of ${width} px`);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("; ")}`);
    assert.deepEqual(found, [], `accessibility at ${width} px, ${scheme}`);
  }
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "JSON");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Metrics");
});

test("no secret is in the page, the report or the metrics", async () => {
  const tokens = [];
  for (const name of ["workload", "laptop"]) tokens.push((await (await fetch(`${endpoint}/${name}`)).json()).token);
  assert.ok(tokens.every((token) => token.length > 20));
  const shown = [await page.evaluate(() => document.documentElement.outerHTML)];
  for (const path of ["/status.json", "/metrics", "/readyz"]) shown.push(await (await fetch(ops + path)).text());
  for (const token of tokens) assert.ok(shown.every((text) => !text.includes(token) && !text.includes(token.slice(0, 16))));
});

test("Prometheus' own parser understands the metrics", async () => {
  const metrics = await (await fetch(`${ops}/metrics`)).text();
  const python = join(import.meta.dirname, ".venv", "bin", "python");
  const families = JSON.parse(execFileSync(python, [join(import.meta.dirname, "metrics.py")], { input: metrics }));
  assert.equal(families.keyless_renewals.type, "counter");
  assert.equal(families.keyless_connection_phase.type, "gauge");
  const value = (family, sample, labels) =>
    families[family].samples.find(
      ([name, found]) => name === sample && Object.entries(labels).every(([key, value]) => found[key] === value),
    )?.[2];
  assert.equal(value("keyless_renewals", "keyless_renewals_total", { connection: "workload" }), 2);
  assert.ok(value("keyless_failures", "keyless_failures_total", { connection: "workload" }) >= 1);
  assert.equal(value("keyless_connection_phase", "keyless_connection_phase", { connection: "workload", phase: "fresh" }), 1);
  assert.ok(value("keyless_requests", "keyless_requests_total", { listener: "endpoint.local", status_class: "2xx" }) >= 3);
  const ends = value("keyless_credential_expires_timestamp_seconds", "keyless_credential_expires_timestamp_seconds", {
    connection: "workload",
  });
  assert.ok(ends > Date.now() / 1_000 && ends < Date.now() / 1_000 + 4_000);
});

test("the browser has nothing to complain of, and is told when nobody answers", async () => {
  assert.deepEqual(complaints, []);
  await served.stop();
  await says("#unreachable", "No answer since");
});
