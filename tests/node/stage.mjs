// Starts the sandbox, and in its company a program that trusts it as its users would: by NODE_EXTRA_CA_CERTS, which Node reads
// at its start. What the sandbox says about itself is in KEYLESS_SANDBOX.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';

const sandbox = spawn(process.env.KEYLESS, ['sandbox', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
const [about] = await once(createInterface({ input: sandbox.stdout }), 'line');

const clean = Object.entries(process.env).filter(([name]) => !/^(OPENAI_|ANTHROPIC_|KEYLESS_|AIRFLOW_)/.test(name));
const [command, ...rest] = process.argv.slice(2);
const program = spawn(command, rest, {
  stdio: 'inherit',
  env: {
    ...Object.fromEntries(clean),
    KEYLESS: process.env.KEYLESS,
    KEYLESS_SANDBOX: about,
    NODE_EXTRA_CA_CERTS: JSON.parse(about).ca_file,
  },
});
// Whoever ends this ends both.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => program.kill(signal));
}
const [code] = await once(program, 'exit');
sandbox.kill();
await once(sandbox, 'exit');
process.exitCode = code ?? 1;
