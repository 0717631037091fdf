import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { DiskError } from '../../src/base/errors.ts';
import { readWholeFile, readWholeFileSync } from '../../src/disk/read-file.ts';

const LIMIT = 100;

/** The code of both ways to read, which have to agree. */
async function codeOf(path: string): Promise<string> {
  const code = (error: unknown): string => (error instanceof DiskError ? error.code : 'other');
  const waited = await readWholeFile(path, LIMIT).then(() => 'read', code);
  let atOnce = 'read';
  try {
    readWholeFileSync(path, LIMIT);
  } catch (error) {
    atOnce = code(error);
  }
  expect(atOnce).toBe(waited);
  return waited;
}

describe('reading a file of ours', () => {
  it('gives its bytes and what is known of it', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'text', { mode: 0o640 });
    for (const { bytes, info } of [
      await readWholeFile(path, LIMIT),
      readWholeFileSync(path, LIMIT),
    ]) {
      expect(bytes.toString()).toBe('text');
      expect(info.mode & 0o777).toBe(0o640);
    }
  });

  it('takes as much as was asked for, and no byte more', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'x'.repeat(LIMIT));
    expect(await codeOf(path)).toBe('read');
    writeFileSync(path, 'x'.repeat(LIMIT + 1));
    expect(await codeOf(path)).toBe('too_large');
  });

  it('never waits for what is no file', async () => {
    const folder = temporaryFolder();
    const at = (name: string): string => join(folder, name);
    mkdirSync(at('folder'));
    spawnSync('mkfifo', [at('pipe')]);
    symlinkSync(at('pipe'), at('link-to-pipe'));
    symlinkSync('/dev/zero', at('link-to-device'));
    const server = createServer().listen(at('socket'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    for (const name of ['folder', 'pipe', 'link-to-pipe', 'link-to-device', 'socket']) {
      expect([name, await codeOf(at(name))]).toEqual([name, 'not_a_file']);
    }
  });

  it('says what is missing and what leads in a circle', async () => {
    const folder = temporaryFolder();
    symlinkSync('loop', join(folder, 'loop'));
    expect(await codeOf(join(folder, 'loop'))).toBe('unreadable');
    expect(await codeOf(join(folder, 'nothing'))).toBe('missing');
    expect(await codeOf('/dev/null/x')).toBe('missing');
  });

  it('that says it is empty, and is not, is bounded too', async () => {
    if (process.platform !== 'linux') return;
    expect(await codeOf('/proc/self/status')).toBe('too_large');
  });
});
