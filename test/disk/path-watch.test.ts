import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../lab/store.ts';
import type { KeyStoreError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { LiveConfig } from '../../src/commands/composition/home/live-config.ts';
import { followConfiguredStore } from '../../src/commands/composition/keys/open-store.ts';
import { loadConfig } from '../../src/config.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../src/secrets/master-key.ts';

const MASTER = generateMasterKey();
/** The interface promises two seconds; a machine full of other tests gets more. */
const SOON = { timeout: 8_000, interval: 20 };
const open = (path: string) => KeyStore.open({ path, masterKey: masterOf(MASTER) });
const create = (path: string) => KeyStore.create({ path, masterKey: masterOf(MASTER) });

/** A watched store, another writer of the same file, and what the watcher told. */
async function watched(path: string) {
  const writer = await create(path);
  const store = await open(path);
  const changes = vi.fn();
  const errors: KeyStoreError[] = [];
  onTestFinished(store.watch(changes, (error) => errors.push(error)));
  return { writer, store, changes, errors };
}

describe('a watched store', () => {
  it('takes up keys that another process adds, replaces and removes', async () => {
    const { writer, store, errors } = await watched(join(temporaryFolder(), 'store.json'));
    await writer.put('A_KEY', fakeKey());
    await vi.waitFor(() => expect(store.has('A_KEY')).toBe(true), SOON);
    const value = fakeKey();
    await writer.put('A_KEY', value);
    await vi.waitFor(() => expect(store.get('A_KEY')).toBe(value), SOON);
    await writer.remove('A_KEY');
    await vi.waitFor(() => expect(store.has('A_KEY')).toBe(false), SOON);
    expect(errors).toEqual([]);
  });

  it('keeps its keys when the new version is broken, says so once, and goes on with the next good one', async () => {
    const path = join(temporaryFolder(), 'store.json');
    const { writer, store, errors } = await watched(path);
    await writer.put('A_KEY', fakeKey());
    await vi.waitFor(() => expect(store.has('A_KEY')).toBe(true), SOON);
    writeFileSync(path, '{"format": "keypool-st');
    await vi.waitFor(() => expect(errors.map((error) => error.code)).toEqual(['malformed']), SOON);
    expect(store.has('A_KEY')).toBe(true);
    rmSync(path);
    await vi.waitFor(() => expect(errors.at(-1)?.code).toBe('missing'), SOON);
    const again = await create(path);
    await again.put('B_KEY', fakeKey());
    await vi.waitFor(
      () => expect(store.list().map((entry) => entry.name)).toEqual(['B_KEY']),
      SOON,
    );
  });

  it('follows a symlink that is pointed elsewhere', async () => {
    const folder = temporaryFolder();
    const link = join(folder, 'link.json');
    const [one, two] = ['one', 'two'].map((name) => {
      mkdirSync(join(folder, name));
      return join(folder, name, 'store.json');
    });
    const first = await create(one ?? '');
    const second = await create(two ?? '');
    await second.put('B_KEY', fakeKey());
    symlinkSync(one ?? '', link);
    const store = await open(link);
    onTestFinished(
      store.watch(
        () => {},
        () => {},
      ),
    );
    await first.put('A_KEY', fakeKey());
    await vi.waitFor(() => expect(store.has('A_KEY')).toBe(true), SOON);
    symlinkSync(two ?? '', `${link}.new`);
    renameSync(`${link}.new`, link);
    await vi.waitFor(
      () => expect(store.list().map((entry) => entry.name)).toEqual(['B_KEY']),
      SOON,
    );
    await second.put('C_KEY', fakeKey());
    await vi.waitFor(() => expect(store.has('C_KEY')).toBe(true), SOON);
  });

  it('is quiet after it was stopped', async () => {
    const path = join(temporaryFolder(), 'store.json');
    const writer = await create(path);
    const store = await open(path);
    const changes = vi.fn();
    store.watch(changes, () => {})();
    const other = await open(path);
    const seen = new Promise<void>((resolve) => onTestFinished(other.watch(resolve, () => {})));
    await writer.put('A_KEY', fakeKey());
    await seen;
    expect(changes).not.toHaveBeenCalled();
  });
});

describe('following a store from before it is there', () => {
  it('finds home, master key and store when init makes them, and a new master key later', async () => {
    const home = join(temporaryFolder(), 'not', 'yet');
    const path = join(home, 'store.json');
    const settings = join(home, '.env');
    const errors: string[] = [];
    let names: string[] | null = null;
    const flags = { home };
    const config = loadConfig(flags, {});
    const live = new LiveConfig({ flags, env: {}, config, logger: silentLogger });
    const stop = followConfiguredStore(live, {
      onStore: (store) => {
        names = store.list().map((entry) => entry.name);
      },
      onError: (error) => errors.push(error.code),
    });
    onTestFinished(stop);
    await vi.waitFor(() => expect(errors).toEqual(['missing']), SOON);
    mkdirSync(home, { recursive: true });
    writeFileSync(settings, `MASTER_ENCRYPTION_KEY=${MASTER}\n`, { mode: 0o600 });
    const writer = await create(path);
    await vi.waitFor(() => expect(names).toEqual([]), SOON);
    await writer.put('A_KEY', fakeKey());
    await vi.waitFor(() => expect(names).toEqual(['A_KEY']), SOON);
    // The store moves to another master key; the settings have it first, as a rotation does it.
    const next = generateMasterKey();
    unlinkSync(settings);
    writeFileSync(settings, `MASTER_ENCRYPTION_KEY=${next}\n`, { mode: 0o600 });
    rmSync(path);
    const moved = await KeyStore.create({ path, masterKey: masterOf(next) });
    await moved.put('B_KEY', fakeKey());
    await vi.waitFor(() => expect(names).toEqual(['B_KEY']), SOON);
  });
});
