// Makes `component/` from the component without imports: JavaScript and core modules by jco, and what is known about them.
// The component is $KEYLESS_COMPONENT, or the one that `make components` leaves in target/components.

import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { transpile } from '@bytecodealliance/jco';

const here = join(import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url)), '..');
const root = join(here, '../..');
const source = process.env.KEYLESS_COMPONENT || join(root, 'target/components/credential-machine.wasm');
const folder = join(here, 'component');

const bytes = await readFile(source).catch((reason) => {
  console.error(`the component cannot be read: ${reason.message}`);
  console.error('write it with `cargo run --release -p keyless-machine -- target/components`, or name it in KEYLESS_COMPONENT');
  process.exit(1);
});

// One instance for each connection, so that one that trapped is replaced and the others notice nothing.
const { files, imports } = await transpile(bytes, {
  name: 'credential-machine',
  instantiation: { tag: 'sync' },
  base64Cutoff: 0,
  minify: true,
});
if (imports.length > 0) {
  console.error(`the component wants ${imports.join(', ')}; only the one without imports can be built in`);
  process.exit(1);
}

await rm(folder, { recursive: true, force: true });
for (const [name, content] of Object.entries(files)) {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
const modules = Object.keys(files).filter((name) => name.endsWith('.wasm'));
const digest = createHash('sha256').update(bytes).digest('hex');
await writeFile(
  join(folder, 'about.js'),
  `// Written by the build.\n\n/** SHA-256 of the component that this is made from. */\nexport const sha256 = '${digest}';\n
/** Its core modules: files of this folder. */\nexport const modules = ${JSON.stringify(modules)};\n`,
);
await writeFile(join(folder, 'about.d.ts'), 'export const sha256: string;\nexport const modules: string[];\n');
await copyFile(join(root, 'LICENSE'), join(here, 'LICENSE'));
console.log(`component/ from ${bytes.length} bytes, SHA-256 ${digest}`);
