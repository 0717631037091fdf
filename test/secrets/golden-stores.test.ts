/** A release that cannot read what an earlier one wrote locks every user out. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { masterOf } from '../../lab/store.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { GOLDEN_MASTERS, GOLDEN_SECRETS, goldenCopy, goldenMaster, goldenText } from './golden.ts';
import { type ReferenceFile, readReference } from './sealed/reference-reader.ts';
import { json, newStore, refusal } from './sealed/sealed-store.ts';

const SEALED = [
  'generated-master.json',
  'passphrase.json',
  'before-rotation.json',
  'interrupted-rotation.json',
  'after-rotation.json',
];
const LEGACY = ['legacy-text.json', 'legacy-decoded.json', 'exported.json'];

const openGolden = (path: string, master: string): Promise<KeyStore> =>
  KeyStore.open({ path, masterKey: masterOf(master) });

const contents = (store: KeyStore): Record<string, string> =>
  Object.fromEntries(store.list().map(({ name }) => [name, store.get(name)]));

const parse = (text: string): ReferenceFile => JSON.parse(text);

describe('a store of version 0.1.0', () => {
  it('is here in every form there was', () => {
    expect(Object.keys(GOLDEN_MASTERS).sort()).toEqual([...SEALED, ...LEGACY].sort());
  });

  it.each([...SEALED, ...LEGACY])('opens with its master key: %s', async (name) => {
    const store = await openGolden(goldenCopy(name), goldenMaster(name));
    expect(contents(store)).toEqual(GOLDEN_SECRETS);
    expect(store.format).toBe(SEALED.includes(name) ? 'sealed' : 'fernet');
  });

  it.each(SEALED)('says the same to the reader that was written from the papers: %s', (name) => {
    expect(readReference(parse(goldenText(name)), goldenMaster(name))).toEqual(GOLDEN_SECRETS);
  });

  it.each(SEALED)('keeps its accounts and dates: %s', async (name) => {
    const file = parse(goldenText(name));
    const store = await openGolden(goldenCopy(name), goldenMaster(name));
    for (const { name: key, account, createdAt } of store.list()) {
      expect({ account, created: createdAt }).toEqual({
        account: file.secrets[key]?.account,
        created: file.secrets[key]?.created,
      });
    }
  });

  it.each(SEALED)('takes a new key and keeps the bytes of the others: %s', async (name) => {
    const path = goldenCopy(name);
    const store = await openGolden(path, goldenMaster(name));
    await store.put('NEW_KEY', 'test-value-new-0123456789');
    const before = parse(goldenText(name));
    const after = parse(readFileSync(path, 'utf8'));
    expect(after.secrets).toMatchObject(before.secrets);
    expect(after.recipients).toEqual(before.recipients);
    expect(after.generation).toBe(before.generation + 1);
    expect(readReference(after, goldenMaster(name))).toEqual({
      ...GOLDEN_SECRETS,
      NEW_KEY: 'test-value-new-0123456789',
    });
  });

  it.each(LEGACY)('becomes v2 with the same keys: %s', async (name) => {
    const path = goldenCopy(name);
    await (await openGolden(path, goldenMaster(name))).migrate();
    expect(readReference(parse(readFileSync(path, 'utf8')), goldenMaster(name))).toEqual(
      GOLDEN_SECRETS,
    );
  });

  it('opens with both master keys in the middle of a rotation, and with one after it', async () => {
    const [before, after] = [
      goldenMaster('before-rotation.json'),
      goldenMaster('after-rotation.json'),
    ];
    for (const master of [before, after]) {
      const store = await openGolden(goldenCopy('interrupted-rotation.json'), master);
      expect(contents(store)).toEqual(GOLDEN_SECRETS);
    }
    const rotated = openGolden(goldenCopy('after-rotation.json'), before);
    expect((await refusal(rotated)).code).toBe('wrong_master');
  });
});

describe('a store of this version', () => {
  it.each([
    ['a generated master', goldenMaster('generated-master.json')],
    ['a passphrase', goldenMaster('passphrase.json')],
  ])('opens in the reader that was written from the papers, under %s', async (_kind, master) => {
    const store = await newStore(master);
    await store.putAll([
      { name: 'DEEPSEEK_API_KEY', value: 'test-value-one-0123456789', account: 'Büro "1" \\ x' },
      { name: 'BYBIT_SECRET', value: 'tést-välue-𝟜-0123456789' },
    ]);
    await store.put('REMOVED_KEY', 'test-value-gone-0123456789');
    await store.remove('REMOVED_KEY');
    expect(readReference(json(store), master)).toEqual({
      DEEPSEEK_API_KEY: 'test-value-one-0123456789',
      BYBIT_SECRET: 'tést-välue-𝟜-0123456789',
    });
  });
});
