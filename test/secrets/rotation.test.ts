import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../lab/store.ts';
import { KeyStoreError } from '../../src/base/errors.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { classifyMasterKey, generateMasterKey } from '../../src/secrets/master-key.ts';
import { type RotationHost, rotateMaster } from '../../src/secrets/rotation.ts';
import { dataKeyOf, entryValue, macOf, type ReferenceFile } from './sealed/reference-reader.ts';

/** Two stores under one master key, which "the settings" hold. */
async function scene() {
  const folder = temporaryFolder();
  const settings = { text: generateMasterKey() };
  const old = settings.text;
  const paths = ['store.json', 'store.staging.json'].map((name) => join(folder, name));
  for (const path of paths) {
    const store = await KeyStore.create({ path, masterKey: masterOf(old) });
    await store.put('DEEPSEEK_API_KEY', fakeKey());
  }
  const host = {
    paths,
    masterKey: () => masterOf(settings.text),
    switchTo: async (text: string) => {
      settings.text = text;
    },
    /** Labels of those that open a store, as they stand in its file. */
    recipientsOf: (path: string): string[] =>
      JSON.parse(readFileSync(path, 'utf8')).recipients.map(
        ({ label }: { label: string }) => label,
      ),
  } satisfies RotationHost & Record<string, unknown>;
  const opens = (path: string, master: string) =>
    KeyStore.open({ path, masterKey: masterOf(master) }).then(
      (store) => store.has('DEEPSEEK_API_KEY'),
      (error: unknown) => (error instanceof KeyStoreError ? error.code : 'another error'),
    );
  return { folder, settings, old, paths, host, opens };
}

describe('a rotation', () => {
  it('hands every store to the new master key and takes it from the old', async () => {
    const { host, paths, old, settings, opens } = await scene();
    expect(await rotateMaster(host)).toEqual({ rotated: paths, left: [], isFinished: false });
    for (const path of paths) {
      expect(await opens(path, settings.text)).toBe(true);
      expect(await opens(path, old)).toBe('wrong_master');
    }
  });

  it('that came after the settings were read is seen by reading them once more', async () => {
    const { host, paths, old } = await scene();
    const [path = ''] = paths;
    await rotateMaster(host);
    let asked = 0;
    const masterKeyNow = () => {
      asked++;
      return host.masterKey();
    };
    const store = await KeyStore.open({ path, masterKey: masterOf(old), masterKeyNow });
    expect(store.has('DEEPSEEK_API_KEY')).toBe(true);
    const wrong = KeyStore.open({
      path,
      masterKey: masterOf(old),
      masterKeyNow: () => masterOf(old),
    });
    await expect(wrong).rejects.toMatchObject({ code: 'wrong_master' });
    expect(asked).toBe(1);
  });

  it('encrypts anew, so that an old copy and the old master do not open what comes later', async () => {
    const { host, paths, old, settings } = await scene();
    const [path = ''] = paths;
    const read = (): ReferenceFile => JSON.parse(readFileSync(path, 'utf8'));
    const before = read();
    await rotateMaster(host);
    const later = await KeyStore.open({ path, masterKey: masterOf(settings.text) });
    await later.put('LATER_KEY', fakeKey());
    const after = read();

    // What a thief of the old copy and the old master has: the old data key.
    const stolen = dataKeyOf(before, old) ?? Buffer.alloc(32);
    expect(entryValue(before, 'DEEPSEEK_API_KEY', stolen)).toBe(later.get('DEEPSEEK_API_KEY'));
    for (const name of ['DEEPSEEK_API_KEY', 'LATER_KEY']) {
      expect(entryValue(after, name, stolen)).toBeNull();
    }
    expect(macOf(after, stolen)).not.toBe(after.mac);
    // Nor does the old way in do, put back into the new file.
    expect(dataKeyOf(after, old)).toBeNull();
    const grafted = { ...after, recipients: [...before.recipients, ...after.recipients] };
    writeFileSync(path, JSON.stringify(grafted));
    for (const master of [old, settings.text]) {
      const opened = KeyStore.open({ path, masterKey: masterOf(master) });
      await expect(opened).rejects.toMatchObject({ code: 'tampered' });
    }
    expect(after.secrets.DEEPSEEK_API_KEY?.created).toBe(before.secrets.DEEPSEEK_API_KEY?.created);
  });

  it('leaves the old master key in force when the switch fails, and starts over', async () => {
    const { host, paths, old, settings, opens } = await scene();
    const broken = { ...host, switchTo: () => Promise.reject(new Error('disk full')) };
    await expect(rotateMaster(broken)).rejects.toThrow('disk full');
    for (const path of paths) expect(await opens(path, old)).toBe(true);
    expect((await rotateMaster(host)).isFinished).toBe(false);
    for (const path of paths) expect(await opens(path, settings.text)).toBe(true);
    for (const path of paths)
      expect(JSON.parse(readFileSync(path, 'utf8')).recipients).toHaveLength(1);
  });

  it('is finished by a second run when the first was killed after the switch', async () => {
    const { host, paths, old, settings, opens } = await scene();
    const killed = {
      ...host,
      switchTo: async (text: string) => {
        await host.switchTo(text);
        throw new Error('killed');
      },
    };
    await expect(rotateMaster(killed)).rejects.toThrow('killed');
    const fresh = settings.text;
    for (const path of paths) {
      expect(await opens(path, old)).toBe(true);
      expect(await opens(path, fresh)).toBe(true);
    }
    expect(await rotateMaster(host)).toMatchObject({ rotated: paths, isFinished: true });
    expect(settings.text).toBe(fresh);
    for (const path of paths) expect(await opens(path, old)).toBe('wrong_master');
  });

  it('leaves a store of another master key alone and says so', async () => {
    const { folder, host, opens } = await scene();
    const other = generateMasterKey();
    const path = join(folder, 'store.other.json');
    const store = await KeyStore.create({ path, masterKey: masterOf(other) });
    await store.put('DEEPSEEK_API_KEY', fakeKey());
    const result = await rotateMaster({ ...host, paths: [...host.paths, path] });
    expect(result.left).toEqual([{ path, reason: 'another master key opens it' }]);
    expect(await opens(path, other)).toBe(true);
  });

  it('refuses a legacy store before it changes anything', async () => {
    const { folder, host, settings, old } = await scene();
    const path = join(folder, 'store.legacy.json');
    writeFileSync(path, '{}');
    const asked = rotateMaster({ ...host, paths: [...host.paths, path] });
    await expect(asked).rejects.toMatchObject({
      message: `${path} is a legacy store, which only one master key can open`,
      hint: 'run keypool-mcp keys migrate for it first; nothing was changed',
    });
    expect(settings.text).toBe(old);
    expect(host.recipientsOf(host.paths[0] ?? '')).toEqual(['primary']);
  });

  it('stops before it changes anything when a store is damaged', async () => {
    const { folder, host, settings, old } = await scene();
    const path = join(folder, 'store.damaged.json');
    writeFileSync(path, '{"format": "keypool-store", "version": 2}');
    const asked = rotateMaster({ ...host, paths: [...host.paths, path] });
    await expect(asked).rejects.toMatchObject({ code: 'malformed' });
    expect(settings.text).toBe(old);
  });

  it('replaces what an earlier run left that died before the switch', async () => {
    const { host, paths } = await scene();
    const [path = ''] = paths;
    const broken = { ...host, switchTo: () => Promise.reject(new Error('killed')) };
    await expect(rotateMaster(broken)).rejects.toThrow('killed');
    await expect(rotateMaster(broken)).rejects.toThrow('killed');
    expect(host.recipientsOf(path)).toEqual(['primary', 'next']);
  });

  it.each([
    ['none of the stores', []],
    ['one store of two', [0]],
  ])('whose switch took hold for %s takes nothing from the old key', async (_what, switched) => {
    const { host, paths, old, settings, opens } = await scene();
    // Settings that name a file for each store could be changed in part.
    const half: RotationHost = {
      ...host,
      switchTo: async (text) => {
        if (switched.length > 0) settings.text = text;
        for (const [at, path] of paths.entries()) {
          if (switched.length === 0 || switched.includes(at)) continue;
          const store = await KeyStore.open({ path, masterKey: masterOf(old) });
          await store.dropOtherRecipients();
        }
      },
    };
    await expect(rotateMaster(half)).rejects.toMatchObject({
      message: 'the new master key did not come into use',
      hint: 'old and new key both open the stores; look at the settings file, then run the command again',
    });
    for (const path of paths) expect(await opens(path, old)).toBe(true);
  });

  it('that is finished later leaves a store alone that it had finished before', async () => {
    const { host, paths, settings } = await scene();
    const [first = '', second = ''] = paths;
    await rotateMaster(host);
    const killed = { ...host, paths: [second], switchTo: host.switchTo };
    // Only the second is handed to the newest key, as if the first had been dropped already.
    const before = settings.text;
    const dies = {
      ...killed,
      switchTo: async (text: string) => {
        const store = await KeyStore.open({ path: first, masterKey: masterOf(before) });
        await store.addRecipient(classifyMasterKey(text, 'a test'), 'next');
        const opened = await KeyStore.open({ path: first, masterKey: masterOf(text) });
        await opened.dropOtherRecipients();
        await host.switchTo(text);
        throw new Error('killed');
      },
    };
    await expect(rotateMaster(dies)).rejects.toThrow('killed');
    const finished = readFileSync(first, 'utf8');
    expect(await rotateMaster(host)).toMatchObject({ rotated: paths, isFinished: true });
    expect(readFileSync(first, 'utf8')).toBe(finished);
    expect(host.recipientsOf(second)).toEqual(['primary']);
  });
});
