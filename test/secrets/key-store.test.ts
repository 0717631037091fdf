import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyStoreError } from '../../src/errors.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../src/secrets/master-key.ts';
import { fakeKey, masterOf, temporaryFolder } from '../support/store.ts';

const GENERATED = generateMasterKey();

async function newStore(master = GENERATED): Promise<KeyStore> {
  const path = join(temporaryFolder(), 'store.json');
  return KeyStore.create({ path, masterKey: masterOf(master) });
}

function reopen(store: KeyStore, master = GENERATED): Promise<KeyStore> {
  return KeyStore.open({ path: store.path, masterKey: masterOf(master) });
}

async function refusal(promise: Promise<unknown>): Promise<KeyStoreError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyStoreError))
    throw new Error('expected a KeyStoreError', { cause: error });
  return error;
}

const json = (store: KeyStore) => JSON.parse(readFileSync(store.path, 'utf8'));

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
    expect(store.list()).toMatchObject([{ keyId: '', masked: '…' }]);
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

type Edit = (file: ReturnType<typeof json>) => unknown;
const flip = (text: string): string =>
  text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`;

describe('a tampered v2 store', () => {
  const rows: ReadonlyArray<readonly [string, string, Edit]> = [
    [
      'two values swapped between names',
      'tampered',
      ({ secrets }) => {
        [secrets.A_KEY.ciphertext, secrets.B_KEY.ciphertext] = [
          secrets.B_KEY.ciphertext,
          secrets.A_KEY.ciphertext,
        ];
      },
    ],
    [
      'two entries swapped whole',
      'tampered',
      ({ secrets }) => {
        [secrets.A_KEY, secrets.B_KEY] = [secrets.B_KEY, secrets.A_KEY];
      },
    ],
    ['an entry deleted', 'tampered', ({ secrets }) => delete secrets.A_KEY],
    [
      'an entry renamed',
      'tampered',
      ({ secrets }) => {
        secrets.C_KEY = secrets.A_KEY;
        delete secrets.A_KEY;
      },
    ],
    [
      'another account',
      'tampered',
      ({ secrets }) => {
        secrets.A_KEY.account = 'other';
      },
    ],
    [
      'another date',
      'tampered',
      ({ secrets }) => {
        secrets.A_KEY.created = '2001-01-01T00:00:00.000Z';
      },
    ],
    [
      'another generation',
      'tampered',
      (file) => {
        file.generation++;
      },
    ],
    [
      'a changed MAC',
      'tampered',
      (file) => {
        file.mac = flip(file.mac);
      },
    ],
    [
      'another file id',
      'wrong_master',
      (file) => {
        file.file_id = flip(file.file_id);
      },
    ],
    [
      'a changed wrapped key',
      'wrong_master',
      ({ recipients }) => {
        recipients[0].wrapped = flip(recipients[0].wrapped);
      },
    ],
    [
      'another label',
      'wrong_master',
      ({ recipients }) => {
        recipients[0].label = 'other';
      },
    ],
    [
      'another derivation',
      'malformed',
      ({ recipients }) => {
        recipients[0].kdf = 'none';
      },
    ],
    [
      'a cost below the floor',
      'malformed',
      ({ recipients }) => {
        Object.assign(recipients[0], { kdf: 'pbkdf2-sha256', iterations: 1 });
      },
    ],
    [
      'a cost above the cap',
      'malformed',
      ({ recipients }) => {
        Object.assign(recipients[0], { kdf: 'pbkdf2-sha256', iterations: 1e9 });
      },
    ],
    [
      'no recipient',
      'malformed',
      (file) => {
        file.recipients = [];
      },
    ],
    [
      'an unknown field',
      'malformed',
      (file) => {
        file.comment = 'hello';
      },
    ],
    [
      'an unknown field in an entry',
      'malformed',
      ({ secrets }) => {
        secrets.A_KEY.note = 'hello';
      },
    ],
    [
      'version 3',
      'malformed',
      (file) => {
        file.version = 3;
      },
    ],
    [
      'base64url with stray bits',
      'malformed',
      (file) => {
        file.mac = `${file.mac.slice(0, -1)}B`;
      },
    ],
    [
      'padded base64url',
      'malformed',
      (file) => {
        file.mac = `${file.mac}=`;
      },
    ],
  ];

  it.each(rows)('is refused: %s', async (_what, code, edit) => {
    const store = await newStore();
    await store.putAll([
      { name: 'A_KEY', value: fakeKey(), account: 'one' },
      { name: 'B_KEY', value: fakeKey() },
    ]);
    const file = json(store);
    edit(file);
    const text = JSON.stringify(file);
    writeFileSync(store.path, text);
    const error = await refusal(reopen(store));
    expect(error.code).toBe(code);
    expect(error.message).toContain(store.path);
    expect(error.hint).not.toBe('');
    // And the store opened before does not write over it.
    await refusal(store.put('C_KEY', fakeKey()));
    expect(readFileSync(store.path, 'utf8')).toBe(text);
  });

  it('is refused with an entry of an earlier version', async () => {
    const store = await newStore();
    await store.put('A_KEY', fakeKey());
    const earlier = json(store).secrets.A_KEY;
    await store.put('A_KEY', fakeKey());
    writeFileSync(store.path, JSON.stringify({ ...json(store), secrets: { A_KEY: earlier } }));
    expect((await refusal(reopen(store))).code).toBe('tampered');
  });

  it('is refused with any one character of any sealed text changed', async () => {
    const store = await newStore();
    await store.put('A_KEY', fakeKey());
    const text = readFileSync(store.path, 'utf8');
    for (const field of ['"file_id": "', '"salt":"', '"wrapped":"', '"ciphertext":"', '"mac": "']) {
      const start = text.indexOf(field) + field.length;
      const end = text.indexOf('"', start);
      for (let at = start; at < end; at++) {
        const other = text[at] === 'A' ? 'B' : 'A';
        writeFileSync(store.path, text.slice(0, at) + other + text.slice(at + 1));
        const { code } = await refusal(reopen(store));
        expect(['tampered', 'wrong_master', 'malformed']).toContain(code);
      }
    }
  });

  it('still opens after a hand edit of white space, with CRLF, BOM and a trailing newline', async () => {
    const store = await newStore();
    await store.put('A_KEY', fakeKey());
    writeFileSync(
      store.path,
      `\uFEFF${readFileSync(store.path, 'utf8').replaceAll('\n', '\r\n')}\r\n`,
    );
    expect((await reopen(store)).has('A_KEY')).toBe(true);
  });
});

describe('a file that is no store', () => {
  it.each([
    ['an empty file', ''],
    ['a truncated store', '{"format": "keypool-store", "version": 2, "file_'],
    ['a text', 'hello'],
    ['an array', '[]'],
    ['a sops file', '{"sops": {"mac": "x"}, "version": "3.9"}'],
    ['one name twice', '{"A_KEY": "gAAAAAx", "A_KEY": "gAAAAAy"}'],
    ['keys in clear', '{"A_KEY": "sk-test-in-clear-0123456789"}'],
    ['plaintext in disguise', '{"A_KEY": "ENCRYPTED:sk-test"}'],
    ['a prototype', '{"__proto__": "gAAAAAx"}'],
  ])('is refused and left as it is: %s', async (_what, text) => {
    const path = join(temporaryFolder(), 'store.json');
    writeFileSync(path, text);
    const error = await refusal(KeyStore.open({ path, masterKey: masterOf(GENERATED) }));
    expect(error.code).toBe('malformed');
    expect(error.message).toContain(path);
    expect(error.message).not.toContain('sk-test');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('says so of a folder and of a circle of symlinks', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder.json'));
    symlinkSync('b.json', join(folder, 'a.json'));
    symlinkSync('a.json', join(folder, 'b.json'));
    for (const name of ['folder.json', 'a.json']) {
      const error = await refusal(
        KeyStore.open({ path: join(folder, name), masterKey: masterOf(GENERATED) }),
      );
      expect(error.code).toBe('unreadable');
    }
  });

  it('tells a wrong master key from a tampered file', async () => {
    const store = await newStore();
    await store.put('A_KEY', fakeKey());
    expect((await refusal(reopen(store, generateMasterKey()))).code).toBe('wrong_master');
    expect((await refusal(reopen(store, 'a passphrase of a person'))).message).toContain('kpm1_');
  });
});
