import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../../lab/store.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../../src/secrets/master-key.ts';
import { GENERATED, json, newStore, refusal, reopen } from './sealed-store.ts';

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
      'recipients that cost too much together',
      'malformed',
      ({ recipients }) => {
        const costly = { ...recipients[0], kdf: 'pbkdf2-sha256', iterations: 6e6 };
        recipients.unshift(costly, costly);
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
