/** A scenario's upstream behind real HTTP: the product's own simulator, set up as it says. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type AccountSpec,
  type FaultAt,
  type KeyFault,
  keySpecsOf,
  type UpstreamSpec,
  type Work,
} from '../../lab/pool/simulation/virtual-upstream.ts';
import type { PoolKey } from '../../src/pool/lease.ts';
import type { FaultName, FaultStep } from '../../src/simulator/simulator.ts';
import type { Arrived, CapacityChange, KeySetting } from './real-upstream-process.ts';

const FAULTS: Partial<Readonly<Record<KeyFault['kind'], FaultName>>> = {
  concurrency: 'rate_limit',
  invalid_key: 'invalid_key',
  no_credit: 'no_balance',
  overloaded: 'overloaded',
  server_error: 'server_error',
  connection_lost: 'reset',
  hang: 'never_answers',
};
/** What lasts until here lasts for ever. */
const HORIZON_MS = 60_000;

/** A function of time as a script: its windows, found to the millisecond. */
function scriptOf(fault: FaultAt): FaultStep[] {
  const script: FaultStep[] = [];
  let since = 0;
  for (let now = 1; now <= HORIZON_MS; now++) {
    const kind = fault(since)?.kind;
    const isLast = now === HORIZON_MS;
    if (!isLast && fault(now)?.kind === kind) continue;
    const name = kind === undefined ? undefined : FAULTS[kind];
    if (kind !== undefined && name === undefined) throw new Error(`no such fault: ${kind}`);
    // Infinity does not cross a process boundary: an absent end means the same.
    if (name !== undefined) {
      script.push({ fault: name, fromMs: since, ...(isLast ? {} : { untilMs: now }) });
    }
    since = now;
  }
  return script;
}

/** A function of time as a list of its steps. */
function capacitiesOf(account: AccountSpec | undefined): CapacityChange[] {
  const capacity = account?.capacity ?? 0;
  if (typeof capacity === 'number') return [{ atMs: 0, capacity }];
  const changes: CapacityChange[] = [];
  for (let atMs = 0; atMs < HORIZON_MS; atMs++) {
    const now = capacity(atMs);
    if (changes.at(-1)?.capacity !== now) changes.push({ atMs, capacity: now });
  }
  return changes;
}

/** Tells the simulator how long to answer. */
export function promptFor(work: Work): string {
  return `Answer with exactly ${work.tokens} tokens.`;
}

function settingsOf(spec: UpstreamSpec, keys: readonly PoolKey[]): KeySetting[] {
  return spec.keys.map(({ account, slow = 1, fault }, index) => {
    const [first, ...changes] = capacitiesOf(spec.accounts[account]);
    return {
      secret: keys[index]?.secret ?? '',
      account: `account-${account}`,
      capacity: first?.capacity ?? 0,
      changes,
      ttftMs: spec.firstByteMs * slow,
      tokensPerSecond: 1_000 / (spec.tokenMs * slow),
      faults: fault === undefined ? [] : scriptOf(fault),
    };
  });
}

/** One scenario's upstream, with nobody's calls in its memory. */
export interface RealUpstream {
  readonly url: string;
  readonly keys: readonly PoolKey[];
  /** Per key; keys of one account share its capacity evenly. */
  readonly capacities: readonly number[];
}

/** The process behind all of them, one after the other. */
export class UpstreamProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./real-upstream-process.ts', import.meta.url)));
  }

  async open(spec: UpstreamSpec): Promise<RealUpstream> {
    const keys = keySpecsOf(spec);
    const answer = once(this.#child, 'message');
    const settings = settingsOf(spec, keys);
    this.#child.send(settings);
    const [url]: string[] = await answer;
    const sharing = (account: string): number =>
      settings.filter((setting) => setting.account === account).length;
    const capacities = settings.map(({ capacity, account }) => capacity / sharing(account));
    return { url: url ?? '', keys, capacities };
  }

  /** The clock of its faults and capacities starts now. */
  begin(): void {
    this.#child.send('begin');
  }

  async end(): Promise<Arrived> {
    const answer = once(this.#child, 'message');
    this.#child.send('end');
    const [arrived]: Arrived[] = await answer;
    return arrived ?? { sent: 0, refused: 0, faults: 0 };
  }

  stop(): void {
    this.#child.disconnect();
  }
}
