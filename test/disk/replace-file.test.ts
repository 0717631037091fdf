import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../lab/store.ts';
import { KeyStoreError } from '../../src/base/errors.ts';
import { replaceFile } from '../../src/disk/replace-file.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../src/secrets/master-key.ts';

const masterKey = masterOf(generateMasterKey());

async function problem(promise: Promise<unknown>): Promise<KeyStoreError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyStoreError))
    throw new Error('expected a KeyStoreError', { cause: error });
  return error;
}

describe('replacing a file', () => {
  it('keeps or tightens its mode', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    await replaceFile(path, 'new', { mode: 'keep' });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    await replaceFile(path, 'newer');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe('newer');
  });

  it('sweeps what killed writers left, and nothing else', async () => {
    const path = join(temporaryFolder(), 'store.json');
    const store = await KeyStore.create({ path, masterKey });
    writeFileSync(join(path, '..', '.store.json.tmp-1-abc'), 'half');
    writeFileSync(join(path, '..', '.other.json.tmp-1-abc'), 'not ours');
    await store.put('A_KEY', fakeKey());
    expect(readdirSync(join(path, '..')).sort()).toEqual(['.other.json.tmp-1-abc', 'store.json']);
  });
});

/** A file system of 64 kB, where the tests may make one (root on Linux). */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  if (made.status !== 0) return null;
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

describe('a disk that refuses', () => {
  it('leaves the old store when it is full, and works again when it is not', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === null) return skip('no right to make a small file system here');
    const path = join(folder, 'store.json');
    const store = await KeyStore.create({ path, masterKey });
    await store.put('A_KEY', fakeKey());
    const before = readFileSync(path);
    const filler = join(folder, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k', 'count=80']);
    const error = await problem(store.put('B_KEY', fakeKey()));
    expect(error.code).toBe('write_failed');
    expect(error.message).toContain('the disk is full');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['filler', 'store.json']);
    rmSync(filler);
    expect(await store.put('B_KEY', fakeKey())).toBe('added');
  });

  it('leaves the old store when it is read-only, which can still be read', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === null) return skip('no right to make a small file system here');
    const path = join(folder, 'store.json');
    const store = await KeyStore.create({ path, masterKey });
    await store.put('A_KEY', fakeKey());
    spawnSync('mount', ['-o', 'remount,ro', folder]);
    const error = await problem(store.put('B_KEY', fakeKey()));
    expect(error.code).toBe('write_failed');
    expect(error.message).toContain('read-only');
    expect((await KeyStore.open({ path, masterKey })).has('A_KEY')).toBe(true);
  });

  it('says so when its folder has gone', async () => {
    const folder = join(temporaryFolder(), 'folder');
    mkdirSync(folder);
    const store = await KeyStore.create({ path: join(folder, 'store.json'), masterKey });
    rmSync(folder, { recursive: true });
    expect((await problem(store.put('A_KEY', fakeKey()))).code).toBe('write_failed');
  });
});
