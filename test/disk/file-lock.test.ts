import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { DiskError } from '../../src/base/errors.ts';
import { withFileLock } from '../../src/disk/file-lock.ts';
import { type LockHolder, ownHolder } from '../../src/disk/lock-holder.ts';
import { replaceFile } from '../../src/disk/replace-file.ts';

const DEAD_PID = 2 ** 22 + 1;
const isLinux = process.platform === 'linux';
/** A holder whom this process cannot ask, as if in another container of the same name. */
const ELSEWHERE = { namespace: 'pid:[1]', token: 'elsewhere' };

const newPath = (): string => join(temporaryFolder(), 'store.json');
const lockOf = (path: string): string => `${path}.lock`;
const enter = (path: string, patienceMs?: number): Promise<string> =>
  withFileLock(path, () => Promise.resolve('in'), patienceMs);

function held(path: string, holder: Partial<LockHolder>): void {
  writeFileSync(lockOf(path), JSON.stringify({ ...ownHolder(), ...holder }));
}

async function refusal(promise: Promise<unknown>): Promise<DiskError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof DiskError) return error;
  throw new Error('expected a DiskError', { cause: error });
}

describe('the lock', () => {
  it('lets one at a time in, in this process too', async () => {
    const path = newPath();
    let inside = 0;
    let most = 0;
    const visit = async (): Promise<void> => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, () => withFileLock(path, visit)));
    expect(most).toBe(1);
    expect(existsSync(lockOf(path))).toBe(false);
  });

  it('keeps a second call out that comes by another name of the same file', async () => {
    const path = newPath();
    const other = join(dirname(path), '.', '..', basename(dirname(path)), 'store.json');
    const again = `${dirname(path)}//store.json`;
    expect(other).toBe(path);
    await withFileLock(path, async () => {
      expect((await refusal(enter(again, 50))).code).toBe('locked');
    });
  });

  const dead: ReadonlyArray<readonly [string, Partial<LockHolder>]> = [
    ['a process that is gone', { pid: DEAD_PID, token: 'gone' }],
    ['a process whose number another one has now', { pid: 1, began: '-1', token: 'reused' }],
    ['this process, from an earlier life', { token: 'self' }],
  ];

  it.each(dead)('is taken from %s, at once', async (_what, holder) => {
    // Only Linux tells when a process began; elsewhere a reused number waits like a live one.
    if (holder.token === 'reused' && !isLinux) return;
    const path = newPath();
    held(path, holder);
    expect(await enter(path, 1_000)).toBe('in');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('is not taken from a process that lives', async () => {
    const path = newPath();
    held(path, { pid: process.ppid, began: null });
    const error = await refusal(enter(path, 100));
    expect(error.code).toBe('locked');
    expect(error.message).toContain(`process ${process.ppid}`);
    expect(error.hint).toContain(lockOf(path));
  });

  it('goes with an action that fails', async () => {
    const path = newPath();
    await expect(withFileLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(lockOf(path))).toBe(false);
  });
});

describe('a holder that cannot be asked', () => {
  it('loses the lock when its heart is silent, whatever its clock said', async () => {
    const paths = [-1, 0, 1].map((hours) => {
      const path = newPath();
      held(path, ELSEWHERE);
      const at = Date.now() / 1000 + hours * 3600;
      utimesSync(lockOf(path), at, at);
      return path;
    });
    const entered = await Promise.all(paths.map((path) => enter(path)));
    expect(entered).toEqual(['in', 'in', 'in']);
  }, 20_000);

  it('keeps the lock while its heart beats, whatever its clock says', async () => {
    const path = newPath();
    held(path, ELSEWHERE);
    let at = Date.now() / 1000 - 3600;
    const heart = setInterval(() => {
      at += 1;
      utimesSync(lockOf(path), at, at);
    }, 1_000);
    try {
      expect((await refusal(enter(path, 7_000))).code).toBe('locked');
    } finally {
      clearInterval(heart);
    }
  }, 20_000);

  it('that the lock was taken from writes nothing', async () => {
    const path = newPath();
    writeFileSync(path, 'theirs');
    const error = await refusal(
      withFileLock(path, async (lock) => {
        held(path, ELSEWHERE);
        await replaceFile(path, 'ours', { lock });
      }),
    );
    expect(error.code).toBe('lock_lost');
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    // Nor does it take the other one's lock with it, or leave its own half-written file.
    expect(readdirSync(dirname(path)).sort()).toEqual(['store.json', 'store.json.lock']);
  });

  it('shows its heartbeat while it works', async () => {
    const path = newPath();
    await withFileLock(path, async () => {
      const before = statSync(lockOf(path)).mtimeMs;
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(statSync(lockOf(path)).mtimeMs).toBeGreaterThan(before);
    });
  });
});

describe('what is no lock', () => {
  const strange: ReadonlyArray<readonly [string, (lock: string) => void]> = [
    ['a dangling link', (lock) => symlinkSync('nowhere', lock)],
    ['a link to another file', (lock) => symlinkSync('/etc/hostname', lock)],
    ['a folder', (lock) => mkdirSync(lock)],
    ['a pipe', (lock) => void spawnSync('mkfifo', [lock])],
    ['a large file', (lock) => writeFileSync(lock, 'x'.repeat(100_000))],
    ['a text of somebody else', (lock) => writeFileSync(lock, 'please do not delete')],
    ['a lock without a holder', (lock) => writeFileSync(lock, '{"token": "../../x"}')],
  ];

  it.each(strange)('is said in one line and left as it is: %s', async (_what, make) => {
    const path = newPath();
    make(lockOf(path));
    const error = await refusal(enter(path));
    expect(error.code).toBe('locked');
    expect(error.message).toContain(lockOf(path));
    expect(error.message).toContain('not a lock of this program');
    expect(readdirSync(dirname(path))).toEqual(['store.json.lock']);
  });

  it.each([
    ['an empty file', ''],
    ['the beginning of a lock', '{"pid":4711,"host":"a'],
  ])('but was never finished is taken away after a while: %s', async (_what, text) => {
    const path = newPath();
    writeFileSync(lockOf(path), text);
    expect(await enter(path)).toBe('in');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('a claim that its maker did not live to use holds nobody up for long', async () => {
    const path = newPath();
    held(path, { pid: DEAD_PID });
    mkdirSync(`${lockOf(path)}.retire`);
    expect(await enter(path)).toBe('in');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('a token with a path in it leads nowhere', async () => {
    const path = newPath();
    held(path, { pid: DEAD_PID, token: '../../../no/such/folder' });
    expect(await enter(path)).toBe('in');
  });

  it('a lock that may not be read is waited for, and no longer than that', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip('root may read everything');
    const path = newPath();
    held(path, ELSEWHERE);
    chmodSync(lockOf(path), 0o000);
    expect((await refusal(enter(path, 100))).code).toBe('locked');
  });
});
