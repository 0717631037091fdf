import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';
import { SealedMemory } from '../../../src/secrets/store/sealed-memory.ts';
import { refusal } from '../sealed/sealed-store.ts';

const MASTER = 'a passphrase that opens both forms';

function madeFolder(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** A store that was migrated, and what the legacy file said. */
async function migrated(home = temporaryFolder()) {
  const path = join(home, 'store.json');
  const location = { path, masterKey: masterOf(MASTER), memory: new SealedMemory(home) };
  const store = await KeyStore.create(location);
  await store.put('DEEPSEEK_API_KEY', fakeKey());
  const flat = await store.exportFernet();
  return { home, path, location, store, flat, sealed: readFileSync(path, 'utf8') };
}

describe('a legacy file in the place of a v2 store', () => {
  it('is refused by whoever opens it next, in one line, and left as it is', async () => {
    const { path, location, flat } = await migrated();
    writeFileSync(path, flat);
    const error = await refusal(KeyStore.open(location));
    expect(error.code).toBe('downgraded');
    expect(error.message).toContain(path);
    expect(error.hint).toContain('v2-stores.json');
    expect(readFileSync(path, 'utf8')).toBe(flat);
  });

  it('is refused behind a link as well, laid before or after', async () => {
    const { home, path, location, flat } = await migrated();
    const other = join(temporaryFolder(), 'legacy.json');
    writeFileSync(other, flat);
    rmSync(path);
    symlinkSync(other, path);
    expect((await refusal(KeyStore.open(location))).code).toBe('downgraded');
    const elsewhere = join(temporaryFolder(), 'v2.json');
    const linked = { ...location, path: join(home, 'linked.json') };
    await KeyStore.create({ ...location, path: elsewhere });
    symlinkSync(elsewhere, linked.path);
    await KeyStore.open(linked);
    rmSync(linked.path);
    symlinkSync(other, linked.path);
    expect((await refusal(KeyStore.open(linked))).code).toBe('downgraded');
  });

  it('is refused by whoever has the store open, who keeps the keys and writes nothing', async () => {
    const { path, store, flat } = await migrated();
    const problems: string[] = [];
    const stop = store.watch(
      () => {},
      (error) => problems.push(error.code),
    );
    writeFileSync(path, flat);
    await until('the watcher saw it', () => problems.length > 0);
    stop();
    expect(problems).toEqual(['downgraded']);
    expect(store.has('DEEPSEEK_API_KEY')).toBe(true);
    expect((await refusal(store.put('B_KEY', fakeKey()))).code).toBe('downgraded');
    expect(readFileSync(path, 'utf8')).toBe(flat);
  });

  it('is refused where an earlier version made the store and a later one only opened it', async () => {
    const { home, path, location, flat, sealed } = await migrated();
    const memory = join(home, 'v2-stores.json');
    renameSync(memory, `${memory}.gone`);
    writeFileSync(path, sealed);
    await KeyStore.open(location);
    expect(existsSync(memory)).toBe(true);
    writeFileSync(path, flat);
    expect((await refusal(KeyStore.open(location))).code).toBe('downgraded');
  });

  it('is refused after the home was moved, too', async () => {
    const { home, flat } = await migrated(madeFolder(join(temporaryFolder(), 'home')));
    const moved = `${home}-moved`;
    renameSync(home, moved);
    const path = join(moved, 'store.json');
    writeFileSync(path, flat);
    const location = { path, masterKey: masterOf(MASTER), memory: new SealedMemory(moved) };
    expect((await refusal(KeyStore.open(location))).code).toBe('downgraded');
  });

  it('is refused when the memory was damaged: that would be the way around it', async () => {
    const { home, path, location, flat } = await migrated();
    writeFileSync(path, flat);
    for (const text of ['', '{', '{"stores": "all"}', '{"stores": [1]}']) {
      writeFileSync(join(home, 'v2-stores.json'), text);
      expect((await refusal(KeyStore.open(location))).code).toBe('downgraded');
    }
  });
});

describe('a legacy store that never was v2', () => {
  it('opens, beside a v2 store of the same home', async () => {
    const { home, flat } = await migrated();
    const path = join(home, 'store.staging.json');
    writeFileSync(path, flat);
    const location = { path, masterKey: masterOf(MASTER), memory: new SealedMemory(home) };
    const store = await KeyStore.open(location);
    expect(store.format).toBe('fernet');
    await store.migrate();
    writeFileSync(path, flat);
    expect((await refusal(KeyStore.open(location))).code).toBe('downgraded');
  });

  it('opens where the home cannot remember anything', async () => {
    const { flat, sealed } = await migrated();
    const path = join(temporaryFolder(), 'store.json');
    const home = join(temporaryFolder(), 'nothing');
    const location = { path, masterKey: masterOf(MASTER), memory: new SealedMemory(home) };
    writeFileSync(path, sealed);
    expect((await KeyStore.open(location)).format).toBe('sealed');
    writeFileSync(path, flat);
    expect((await KeyStore.open(location)).format).toBe('fernet');
  });
});
