import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../../lab/store.ts';
import { createLogger } from '../../../../src/base/logger.ts';
import { Redactor } from '../../../../src/base/redact.ts';
import {
  type SharedPool,
  sharedPool,
} from '../../../../src/commands/composition/sharing/shared-pool.ts';
import { loadConfig } from '../../../../src/config.ts';

interface Made {
  readonly pool: SharedPool | string;
  readonly log: ReadonlyArray<Readonly<Record<string, string>>>;
}

async function make(home: string, env: Record<string, string> = {}): Promise<Made> {
  const log: Array<Record<string, string>> = [];
  const redactor = new Redactor();
  const logger = createLogger({
    level: 'info',
    redactor,
    write: (line) => void log.push(JSON.parse(line)),
  });
  const config = loadConfig({ home }, env);
  const pool = await sharedPool({
    config,
    logger,
    redactor,
    title: 'test',
    hasBudgets: () => true,
  });
  onTestFinished(async () => {
    if (typeof pool !== 'string') await pool.leave();
  });
  return { pool, log };
}

describe('who shares', () => {
  it('finds the others of its home, and shows them', async () => {
    const home = temporaryFolder();
    const [one, other] = [await make(home), await make(home)];
    if (typeof one.pool === 'string' || typeof other.pool === 'string') throw new Error('alone');
    await one.pool.view();
    other.pool.noteClient('cursor');
    let view = await other.pool.view();
    for (let look = 0; look < 200 && view.processes.length < 2; look++) {
      await sleep(20);
      view = await other.pool.view();
    }
    expect(view.processes.map(({ client }) => client)).toEqual(['test', 'cursor']);
    expect([...one.log, ...other.log]).toEqual([]);
  });

  const broken: ReadonlyArray<readonly [string, (home: string) => void, string]> = [
    ['a file', (home) => writeFileSync(join(home, 'run'), ''), 'is no folder'],
    [
      'a secret that others can read',
      (home) => {
        mkdirSync(join(home, 'run'), { mode: 0o700 });
        writeFileSync(join(home, 'run', 'secret'), `${'x'.repeat(43)}\n`);
        chmodSync(join(home, 'run', 'secret'), 0o644);
      },
      'others can read',
    ],
  ];

  it.each(broken)('says in one line what is in the way: %s', async (_what, spoil, reason) => {
    const home = temporaryFolder();
    spoil(home);
    const { pool, log } = await make(home);
    expect(pool).toContain(reason);
    expect(log).toHaveLength(1);
    expect(log[0]?.reason).toBe(pool);
    expect(log[0]?.next).not.toBe('');
  });

  it('goes on alone where the password of a Redis cannot be read', async () => {
    const home = temporaryFolder();
    const { pool, log } = await make(home, {
      KEYPOOL_REDIS_URL: 'redis://127.0.0.1:1',
      KEYPOOL_REDIS_PASSWORD_FILE: join(home, 'nothing'),
    });
    expect(pool).toContain('KEYPOOL_REDIS_PASSWORD_FILE');
    expect(log).toHaveLength(1);
    expect(readdirSync(home)).toEqual([]);
  });
});
