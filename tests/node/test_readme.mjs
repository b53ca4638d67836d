// The blocks of the package's README, pasted into programs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';

import { run } from './program.mjs';
import { about, combination, reset } from './sandbox.mjs';

beforeEach(reset);

const readme = readFileSync(new URL('node_modules/keyless-credentials/README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^## (.*?)$|^```js\n(.*?)^```$/gms)].reduce(
  ({ title, found }, [, heading, block]) => (heading === undefined ? { title, found: [...found, { title, block }] } : { title: heading, found }),
  { title: '', found: [] },
).found;

// What a user would have set.
const openai = {
  KEYLESS_CONNECTION: about.documents.native,
  OPENAI_IDENTITY_PROVIDER_ID: 'idp_sandbox',
  OPENAI_SERVICE_ACCOUNT_ID: 'svc_acct_sandbox',
  TOKEN_ENDPOINT: about.token_endpoint,
  TOKEN_FILE: about.token_file,
};
const anthropic = { KEYLESS_CONNECTION: combination('kubernetes-anthropic').document };

test('there are blocks', () => assert.equal(blocks.length, 5));

for (const [index, { title, block }] of blocks.entries()) {
  test(`block ${index + 1}, ${title}`, async () => {
    const env = block.includes('new Anthropic') ? anthropic : openai;
    const { code, stdout, stderr } = await run(block, { env });
    assert.equal(code, 0, stderr);
    assert.equal(stdout === '', title === 'Errors', stdout);
  });
}

test('the block about errors, when there is one', async () => {
  const env = { KEYLESS_CONNECTION: JSON.stringify({ ...JSON.parse(about.documents.native), source: { type: 'file', token_file_path: '/nonexistent/token' } }) };
  const { code, stderr } = await run(blocks.at(-1).block, { env });
  assert.equal(code, 0);
  assert.match(stderr, /^identity token-file-missing .* \d+\n$/);
});

test('the document of the quick start is one', async () => {
  const [document] = readme.match(/(?<=KEYLESS_CONNECTION=')\{.*?\}(?=')/s);
  const program = `import { open } from 'keyless-credentials'; console.log((await open(${JSON.stringify(document)}, { grant: {} })).plan.dialect)`;
  const { stdout, stderr } = await run(program);
  assert.deepEqual([stdout, stderr], ['native\n', '']);
});
