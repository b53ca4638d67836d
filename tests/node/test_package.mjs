// The package as it would be published.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const installed = join(here, 'node_modules/keyless-credentials');
const files = readdirSync(installed, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(installed.length + 1));

test('holds what it needs and nothing else', () => {
  for (const name of ['package.json', 'README.md', 'LICENSE', 'src/index.js', 'types/index.d.ts', 'component/credential-machine.js', 'conformance.mjs']) {
    assert.ok(files.includes(name), name);
  }
  for (const name of files) {
    assert.match(name, /^(package\.json|README\.md|LICENSE|conformance\.mjs|(src|types|component|conformance)\/.*\.(js|mjs|ts|wasm))$/);
  }
  const { dependencies, license, type } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.deepEqual([dependencies, license, type], [undefined, 'Apache-2.0', 'module']);
});

test('the component wants nothing of its host', () => {
  const modules = files.filter((name) => name.endsWith('.wasm'));
  assert.ok(modules.length > 0);
  const wanted = modules.flatMap((name) => WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(join(installed, name)))));
  // What is left is how the component's own modules find each other.
  for (const { module, name } of wanted) {
    assert.match(`${module} ${name}`, /^(\[export\]keyless:credentials\/machine@0\.1\.0 \[resource-(drop|new|rep)\]session| ?(\$imports|\d+))$/);
  }
});

test('it is made from the component that is named', async () => {
  const { sha256 } = await import(new URL('node_modules/keyless-credentials/component/about.js', import.meta.url).href);
  const source = process.env.KEYLESS_COMPONENT || join(here, '../../target/components/credential-machine.wasm');
  assert.equal(sha256, createHash('sha256').update(readFileSync(source)).digest('hex'));
});

// A program of a user, checked with the types of the package and no library of the browser's.
function compiled(text) {
  const folder = mkdtempSync(join(here, 'node_modules/.types-'));
  writeFileSync(join(folder, 'program.mts'), text);
  const options = { strict: true, noEmit: true, module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', lib: ['es2022'], types: ['node'], exactOptionalPropertyTypes: true, skipLibCheck: false, typeRoots: [join(here, 'node_modules/@types')] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['program.mts'] }));
  try {
    execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--project', folder], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch ({ stdout }) {
    return stdout;
  }
}

test('the types fit programs', () => {
  const good = `
    import { Credential, KeylessError, open, type ErrorKind, type Plan, type Provider, type Status, type TokenSource } from 'keyless-credentials';
    const source: TokenSource = async (audience, { signal }) => String(audience) + signal.aborted;
    const provider: Provider = await open({ api_key: 'sk-...' }, { source, ca: 'ca.pem', lock: new URL('file:///x'), grant: { files: ['x'] }, variables: process.env, strict: true });
    const token: string = await provider.token({ within: 1000 });
    const held: Credential | undefined = provider.current();
    const until: number | undefined = held?.expiresAt;
    const { authorization } = await provider.headers();
    const plan: Plan = provider.plan;
    const status: Status = provider.status();
    const answer: Response = await provider.fetch(provider.baseURL, { method: 'POST' });
    const access: { token: string; expiresAt: number | null } = await provider.accessToken({ forceRefresh: true });
    try { await open('@file', {}); } catch (error) {
      if (error instanceof KeylessError) { const kind: ErrorKind = error.kind; const ms: number | undefined = error.retryAfterMs; console.log(kind, ms); }
    }
    provider.reject(1);
    await provider.close();
    console.log(token, until, authorization, plan, status, answer, access);
  `;
  assert.equal(compiled(good), '');
  const wrong = [
    'provider.current().token;',
    'provider.reject("1");',
    'const n: number = await provider.token();',
    'await open(17);',
    'await open("x", { grants: [] });',
    'provider.baseURL = "x";',
    'provider.status().phase === "nonsense";',
  ];
  // A line that is right would be an error here.
  const refused = wrong.map((line) => `// @ts-expect-error\n${line}`).join('\n');
  assert.equal(compiled(`import { open } from 'keyless-credentials'; const provider = await open();\n${refused}`), '');
  assert.match(compiled(`import { open } from 'keyless-credentials'; const provider = await open();\n${wrong[0]}`), /error TS/);
});
