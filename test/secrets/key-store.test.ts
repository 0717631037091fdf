import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../lab/store.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { GENERATED, json, newStore, refusal, reopen } from './sealed/sealed-store.ts';

describe('a new store', () => {
  it('is an empty v2 file that nobody else can read', async () => {
    const store = await newStore();
    expect(store.list()).toEqual([]);
    expect(statSync(store.path).mode & 0o777).toBe(0o600);
    expect(json(store)).toMatchObject({
      format: 'keypool-store',
      version: 2,
      recipients: [{ label: 'primary', kdf: 'hkdf-sha256' }],
      secrets: {},
    });
  });

  it('stretches a passphrase 600,000 times', async () => {
    const store = await newStore('correct horse battery staple');
    expect(json(store).recipients).toMatchObject([{ kdf: 'pbkdf2-sha256', iterations: 600_000 }]);
  });

  it('refuses a short passphrase and makes no file', async () => {
    const path = join(temporaryFolder(), 'store.json');
    const error = await refusal(KeyStore.create({ path, masterKey: masterOf('short') }));
    expect(error.code).toBe('bad_master');
    expect((await refusal(KeyStore.open({ path, masterKey: masterOf('short') }))).code).toBe(
      'missing',
    );
  });

  it('does not replace one that exists', async () => {
    const store = await newStore();
    await store.put('BYBIT_API_KEY', fakeKey());
    const before = readFileSync(store.path);
    const again = await KeyStore.create({ path: store.path, masterKey: masterOf(GENERATED) });
    expect(again.list().map((entry) => entry.name)).toEqual(['BYBIT_API_KEY']);
    expect(readFileSync(store.path)).toEqual(before);
  });
});

describe('putting and getting', () => {
  it('gives back what was put, after opening again', async () => {
    const store = await newStore();
    const value = fakeKey();
    expect(await store.put('DEEPSEEK_API_KEY', value, 'main')).toBe('added');
    const opened = await reopen(store);
    expect(opened.get('DEEPSEEK_API_KEY')).toBe(value);
    expect(opened.list()).toMatchObject([
      {
        name: 'DEEPSEEK_API_KEY',
        account: 'main',
        keyId: value.slice(-6),
        masked: `sk-…${value.slice(-6)}`,
      },
    ]);
    expect(Date.parse(opened.list()[0]?.createdAt ?? '')).not.toBeNaN();
  });

  it('says whether it added, replaced or found the same', async () => {
    const store = await newStore();
    const value = fakeKey();
    await store.put('DEEPSEEK_API_KEY', value, 'main');
    expect(await store.put('DEEPSEEK_API_KEY', value)).toBe('unchanged');
    expect(await store.put('DEEPSEEK_API_KEY', fakeKey())).toBe('replaced');
    expect(store.list()[0]?.account).toBe('main');
    expect(await store.put('DEEPSEEK_API_KEY', store.get('DEEPSEEK_API_KEY'), 'other')).toBe(
      'replaced',
    );
  });

  it('round-trips any usable value under any usable name', async () => {
    const store = await newStore();
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,63}$/);
    const value = fc.stringMatching(/^[!-~äöü漢🔑]{1,200}$/u);
    const secrets = fc.uniqueArray(
      fc.record({
        name: name.filter((text) => !/^(DEEPSEEK|PERPLEXITY)_API_KEY/.test(text)),
        value,
      }),
      { selector: (secret) => secret.name, minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(secrets, async (list) => {
        await store.putAll(list);
        const opened = await reopen(store);
        for (const secret of list) expect(opened.get(secret.name)).toBe(secret.value);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves the bytes of other entries alone', async () => {
    const store = await newStore();
    await store.put('DEEPSEEK_API_KEY', fakeKey());
    await store.put('DEEPSEEK_API_KEY_2', fakeKey());
    const before = readFileSync(store.path, 'utf8').split('\n');
    await store.put('DEEPSEEK_API_KEY_2', fakeKey());
    const after = readFileSync(store.path, 'utf8').split('\n');
    const changed = after
      .filter((line, index) => line !== before[index])
      .map((line) => line.trim().split(':')[0]);
    expect(changed).toEqual(['"generation"', '"DEEPSEEK_API_KEY_2"', '"mac"']);
  });

  it('lists by family and number', async () => {
    const store = await newStore();
    const names = ['BYBIT_SECRET', 'DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_10'];
    for (const name of [...names].reverse()) await store.put(name, fakeKey());
    expect(store.list().map((entry) => entry.name)).toEqual(names);
  });

  it('removes for good', async () => {
    const store = await newStore();
    await store.put('BYBIT_SECRET', fakeKey());
    await store.remove('BYBIT_SECRET');
    expect((await reopen(store)).has('BYBIT_SECRET')).toBe(false);
    expect((await refusal(store.remove('BYBIT_SECRET'))).code).toBe('unknown_name');
  });

  it.each([
    ['a space', 'sk-test with-space', 'invalid_value'],
    ['a newline', 'sk-test\nsecond', 'invalid_value'],
    ['a zero-width space', 'sk-test\u200bkey', 'invalid_value'],
    ['nothing', '', 'invalid_value'],
    ['a letter that no header carries', 'sk-test-ü', 'invalid_value'],
  ])('refuses a value with %s without repeating it', async (_what, value, code) => {
    const store = await newStore();
    const error = await refusal(store.put('DEEPSEEK_API_KEY', value));
    expect(error.code).toBe(code);
    if (value !== '') expect(`${error.message} ${error.hint}`).not.toContain(value);
  });

  it.each(['lower', '1ST', '', '__proto__', 'A'.repeat(65), 'sk-test-0123456789'])(
    'refuses the name %j without repeating it',
    async (name) => {
      const error = await refusal((await newStore()).put(name, fakeKey()));
      expect(error.code).toBe('invalid_name');
      if (name.length > 1) expect(error.message).not.toContain(name);
    },
  );

  it('shows nothing of a short value', async () => {
    const store = await newStore();
    await store.put('PIN', '0123456789');
    const [entry] = store.list();
    expect(entry?.masked).toBe('…');
    expect(entry?.keyId).toMatch(/^[0-9a-f]{6}$/);
    expect('0123456789').not.toContain(entry?.keyId);
  });

  it.each([
    ['DEEPSEEK_API_KEY_0', fakeKey(), 'invalid_name'],
    ['DEEPSEEK_API_KEY_01', fakeKey(), 'invalid_name'],
    ['PERPLEXITY_API_KEY_123456', fakeKey(), 'invalid_name'],
    ['DEEPSEEK_API_KEY', `pplx-${fakeKey()}`, 'invalid_value'],
    ['DEEPSEEK_API_KEY', fakeKey().padEnd(1_025, '7'), 'invalid_value'],
  ])('tells at once what the pool would never use: %s, case %#', async (name, value, code) => {
    const error = await refusal((await newStore()).put(name, value));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain(value.slice(-12, -4));
  });

  it('keeps a symlink a symlink', async () => {
    const store = await newStore();
    const link = join(temporaryFolder(), 'link.json');
    symlinkSync(store.path, link);
    const linked = await KeyStore.open({ path: link, masterKey: masterOf(GENERATED) });
    await linked.put('BYBIT_API_KEY', fakeKey());
    expect(statSync(link).ino).toBe(statSync(store.path).ino);
    expect((await reopen(store)).has('BYBIT_API_KEY')).toBe(true);
  });

  it('sees what another process wrote before it writes itself', async () => {
    const store = await newStore();
    const other = await reopen(store);
    await store.put('A_KEY', fakeKey());
    await other.put('B_KEY', fakeKey());
    expect((await reopen(store)).list().map((entry) => entry.name)).toEqual(['A_KEY', 'B_KEY']);
  });
});
