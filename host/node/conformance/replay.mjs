// A recorded run of the component, stepped again: the same events at the same moments give the same decisions.

import { loadMachine } from '../src/machine.js';
import { effect, event, problem, rawCredential, rawStatus } from './encode.mjs';

const sessions = await loadMachine();

// An instance serves many runs: making one takes longer than a run.
const RUNS = 200;
let instance = sessions();
let runs = 0;

export function replay({ document, variables, steps }) {
  if (runs === RUNS) {
    instance = sessions();
    runs = 0;
  }
  runs += 1;
  const opened = attempt(() => instance.open(document, variables));
  if ('err' in opened) {
    return { open: opened, decisions: [] };
  }
  const session = opened.ok;
  return { open: { ok: null }, decisions: steps.map((step) => decision(session, step)) };
}

function decision(session, step) {
  const now = { wallMs: BigInt(step.now['wall-ms']), monotonicMs: BigInt(step.now['monotonic-ms']) };
  const effects = session.step(now, event(step.event)).map(effect);
  const credential = attempt(() => session.credential(now));
  const wakeAt = session.wakeAt(now);
  return {
    effects,
    credential: 'ok' in credential && credential.ok !== undefined ? { ok: rawCredential(credential.ok) } : nothing(credential),
    'wake-at': wakeAt === undefined ? null : Number(wakeAt),
    busy: session.busy(),
    status: rawStatus(session.status(now)),
  };
}

const nothing = (credential) => ('err' in credential ? credential : { ok: null });

// What the component refuses is an answer; anything else that is thrown is a fault of this program.
function attempt(call) {
  try {
    return { ok: call() };
  } catch (thrown) {
    if (thrown?.payload?.tag === undefined) {
      throw thrown;
    }
    return { err: problem(thrown.payload) };
  }
}
