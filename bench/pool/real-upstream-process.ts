/** The simulator in a process of its own: what it computes must not hold up whom it measures. */

import { once } from 'node:events';
import { type FaultStep, type Simulator, startSimulator } from '../../src/simulator/simulator.ts';

/** One key, as it crosses the process boundary. */
export interface KeySetting {
  readonly secret: string;
  readonly account: string;
  readonly capacity: number;
  readonly ttftMs: number;
  readonly tokensPerSecond: number;
  readonly faults: readonly FaultStep[];
}

/** What arrived at the upstream. */
export interface Arrived {
  readonly sent: number;
  readonly refused: number;
  /** Calls that met the scenario's fault. */
  readonly faults: number;
}

const LENGTH = /exactly (\d+) tokens/;
const TOKEN = 'abc ';
/** Tokens that the simulator thinks for where nobody says that it shall not. */
const THINKING_TOKENS = 80;

/** The gateway drops `thinking: disabled`; its answers take as long as everybody's even so. */
function answerTo(body: Readonly<Record<string, unknown>>): string {
  const tokens = Number(LENGTH.exec(JSON.stringify(body.messages))?.[1] ?? 1);
  const isThinking = !JSON.stringify(body.thinking ?? null).includes('disabled');
  return TOKEN.repeat(Math.max(1, tokens - (isThinking ? THINKING_TOKENS : 0)));
}

const UNTOUCHED: ReadonlySet<string> = new Set(['ok', 'capacity', 'refused']);

function arrivedAt(simulator: Simulator): Arrived {
  const calls = simulator.calls.filter(({ path }) => path.endsWith('/chat/completions'));
  return {
    sent: calls.length,
    refused: calls.filter(({ status }) => status === 429).length,
    faults: calls.filter(({ fault }) => !UNTOUCHED.has(fault)).length,
  };
}

process.once('disconnect', () => process.exit());
for (;;) {
  const [settings]: Array<readonly KeySetting[]> = await once(process, 'message');
  const simulator = await startSimulator();
  for (const { secret, ...setting } of settings ?? []) {
    simulator.addKey(secret, { provider: 'deepseek', answer: answerTo, ...setting });
  }
  process.send?.(simulator.deepseekUrl);
  await once(process, 'message');
  process.send?.(arrivedAt(simulator));
  await simulator.close();
}
