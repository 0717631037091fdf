/**
 * Eight processes spend from one home until its budget is spent, some of them killed on the way.
 * Says how much of the budget was spent when they were refused, and what became of the ledger; then
 * the same for eight machines on one Redis, where there is a redis-server.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, RedisServerProcess } from '../../lab/servers/redis.ts';
import { buildSpender, homeOf, runSpenders, type Spending } from '../../lab/usage/spenders.ts';
import { setBudget } from '../../src/usage/budgets/budget-file.ts';

const PROCESSES = 8;
const CALLS = 2_000;
const KILLS = 12;
const AT_ONCE = 4;

const program = await buildSpender();

async function inHome<T>(action: (home: string) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  try {
    return await action(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const plan = (home: string, calls: number): Spending => ({
  home,
  processes: PROCESSES,
  calls,
  atOnce: AT_ONCE,
  callMs: 2,
  kills: KILLS,
});

try {
  const { reported, inLedger, unreadable } = await inHome((home) =>
    runSpenders(program, plan(home, CALLS)),
  );
  const lost = Math.max(0, reported - inLedger);
  console.log(`ledger: ${PROCESSES} processes x ${CALLS} calls, ${KILLS} killed`);
  console.log(`  ${reported} reported, ${inLedger} in the ledger, ${unreadable} torn lines`);
  console.log(`  ${lost} lost that a caller was told, at ${KILLS} kills`);
  for (const usd of [0.5, 2]) {
    const spent = await inHome(async (home) => {
      await setBudget(home, { usd, per: 'day', account: null, client: null });
      return await runSpenders(program, plan(home, 100_000));
    });
    const percent = ((spent.usd / usd) * 100).toFixed(2);
    console.log(`budget of $${usd}: ${percent} % spent when refused, ${spent.inLedger} calls`);
    console.log(`  said to be near ${spent.notices} times, refused ${spent.refused} times`);
  }
  if (hasRedis) await spendTogether(1);
} finally {
  program.remove();
}

/** Each process is a machine of its own. */
async function spendTogether(usd: number): Promise<void> {
  const redis = await RedisServerProcess.start();
  try {
    const spent = await inHome(async (home) => {
      const team = { redisUrl: redis.url, homes: PROCESSES };
      const each = { ...plan(home, 100_000), team, kills: 0 };
      for (let seed = 1; seed <= PROCESSES; seed++) {
        const budget = { usd, per: 'day', account: null, client: null } as const;
        await setBudget(homeOf(each, seed), budget);
      }
      return await runSpenders(program, each);
    });
    const percent = ((spent.usd / usd) * 100).toFixed(2);
    console.log(`budget of $${usd}, ${PROCESSES} machines on one Redis: ${percent} % spent`);
  } finally {
    await redis.remove();
  }
}
