/** The simulator in a process of its own: what it computes must not hold up whom it measures. */

import { once } from 'node:events';
import { type FaultStep, type Simulator, startSimulator } from '../../src/simulator/simulator.ts';

export interface CapacityChange {
  readonly atMs: number;
  readonly capacity: number;
}

/** One key, as it crosses the process boundary. */
export interface KeySetting {
  readonly secret: string;
  readonly account: string;
  readonly capacity: number;
  /** Later capacities, milliseconds from the start. */
  readonly changes: readonly CapacityChange[];
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

/** The clock of faults and capacities begins when the calls do, not while a program starts. */
function begin(simulator: Simulator, settings: readonly KeySetting[]): NodeJS.Timeout[] {
  return settings.flatMap(({ secret, account, faults, changes }) => {
    simulator.setBehaviour(secret, { faults });
    return changes.map(({ atMs, capacity }) =>
      setTimeout(() => simulator.setAccount(account, { capacity }), atMs),
    );
  });
}

process.once('disconnect', () => process.exit());
for (;;) {
  const [settings = []]: Array<readonly KeySetting[]> = await once(process, 'message');
  const simulator = await startSimulator();
  for (const { secret, account, capacity, ttftMs, tokensPerSecond } of settings) {
    const behaviour = { account, capacity, ttftMs, tokensPerSecond, answer: answerTo };
    simulator.addKey(secret, { provider: 'deepseek', ...behaviour });
  }
  process.send?.(simulator.deepseekUrl);
  await once(process, 'message');
  const timers = begin(simulator, settings);
  await once(process, 'message');
  for (const timer of timers) clearTimeout(timer);
  process.send?.(arrivedAt(simulator));
  await simulator.close();
}
