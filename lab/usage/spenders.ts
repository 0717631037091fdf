/** Several processes that spend from one home, some of them killed, and what is left afterwards. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { usageFolder } from '../../src/usage/ledger/ledger.ts';
import { readLedger } from '../../src/usage/ledger/read-ledger.ts';
import { type BundledProgram, bundleProgram } from '../program/bundled.ts';

/** Of the programs that spend. */
export function buildSpender(): Promise<BundledProgram> {
  return bundleProgram(new URL('spender.ts', import.meta.url));
}

export interface Spending {
  readonly home: string;
  /** The processes have so many homes in there, and meet at a Redis; absent: one home, no Redis. */
  readonly team?: { readonly redisUrl: string; readonly homes: number };
  readonly processes: number;
  readonly calls: number;
  readonly atOnce: number;
  readonly callMs: number;
  /** How many are killed, at random moments while they spend, and started anew. */
  readonly kills: number;
}

export interface SpentTogether {
  /** Calls that their process reported as ended. */
  readonly reported: number;
  readonly refused: number;
  readonly notices: number;
  readonly inLedger: number;
  readonly unreadable: number;
  readonly usd: number;
  readonly errors: string;
}

/** A process that is started anew finds the home of the one before. */
const AGAIN = 1_000;

/** Where the process of this seed has its home. */
export function homeOf({ home, team }: Pick<Spending, 'home' | 'team'>, seed: number): string {
  return team === undefined ? home : join(home, `machine-${(seed % AGAIN) % team.homes}`);
}

class Spender {
  readonly child: ChildProcess;
  reported = 0;
  refused = 0;
  notices = 0;
  errors = '';
  #rest = '';

  constructor(program: BundledProgram, spending: Spending, seed: number) {
    const { calls, atOnce, callMs, team } = spending;
    const args = [homeOf(spending, seed), calls, atOnce, seed, callMs].map(String);
    const env = { TZ: 'UTC', ...(team === undefined ? {} : { KEYPOOL_REDIS_URL: team.redisUrl }) };
    this.child = spawn(process.execPath, [program.file, ...args], { env });
    this.child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk.toString('utf8')));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString('utf8');
    });
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.includes('"refused"')) this.refused += 1;
      else this.reported += 1;
      if (line.includes('Of the budget')) this.notices += 1;
    }
  }
}

/** Runs them to their end. */
export async function runSpenders(
  program: BundledProgram,
  spending: Spending,
): Promise<SpentTogether> {
  const all: Spender[] = [];
  let left = spending.kills;
  const live = async (seed: number): Promise<void> => {
    const spender = new Spender(program, spending, seed);
    all.push(spender);
    const exit = once(spender.child, 'close');
    if (left > 0 && left--) {
      await Promise.race([exit, reportedSome(spender, 5 + (seed % 40))]);
      spender.child.kill('SIGKILL');
      await exit;
      await live(seed + AGAIN);
    } else await exit;
  };
  await Promise.all(Array.from({ length: spending.processes }, (_, at) => live(at + 1)));
  const count = { unreadable: 0 };
  const sums = { inLedger: 0, usd: 0 };
  const always = { since: 0, until: Date.parse('2100-01-01T00:00:00Z') };
  const seeds = Array.from({ length: spending.processes }, (_, at) => at + 1);
  for (const home of new Set(seeds.map((seed) => homeOf(spending, seed)))) {
    for await (const entry of readLedger(usageFolder(home), always, count)) {
      sums.inLedger += 1;
      sums.usd += entry.usd?.estimate ?? 0;
    }
  }
  const sum = (of: (spender: Spender) => number): number =>
    all.reduce((total, each) => total + of(each), 0);
  return {
    ...sums,
    ...count,
    reported: sum((each) => each.reported),
    refused: sum((each) => each.refused),
    notices: sum((each) => each.notices),
    errors: all.map((each) => each.errors).join(''),
  };
}

async function reportedSome(spender: Spender, calls: number): Promise<void> {
  while (spender.reported < calls && spender.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
