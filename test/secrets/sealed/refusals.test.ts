/** What the reader of a v2 file says: which part is wrong, and what to do about it. */

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fakeKey } from '../../../lab/store.ts';
import { classifyMasterKey, generateMasterKey } from '../../../src/secrets/master-key.ts';
import { json, newStore, refusal, reopen } from './sealed-store.ts';

type Edit = (file: ReturnType<typeof json>) => unknown;

async function refused(edit: Edit) {
  const store = await newStore();
  await store.put('A_KEY', fakeKey());
  const file = json(store);
  edit(file);
  writeFileSync(store.path, JSON.stringify(file));
  const { code, message, hint } = await refusal(reopen(store));
  return { code, message: message.replace(store.path, 'FILE'), hint };
}

describe('a v2 file is refused with the part that is wrong', () => {
  it.each<[string, Edit]>([
    ['a recipient is not an object', ({ recipients }) => recipients.splice(0, 1, 7)],
    ["a recipient's label is missing", ({ recipients }) => delete recipients[0].label],
    [
      "a recipient's salt has the wrong length",
      ({ recipients }) => Object.assign(recipients[0], { salt: 'AAAA' }),
    ],
    [
      "a recipient's wrapped key has the wrong length",
      ({ recipients }) => Object.assign(recipients[0], { wrapped: 'A'.repeat(96) }),
    ],
    [
      "a recipient's salt is not canonical base64url",
      ({ recipients }) => Object.assign(recipients[0], { salt: '++++' }),
    ],
    [
      'a recipient has a field that this version does not know',
      ({ recipients }) => Object.assign(recipients[0], { owner: 'me' }),
    ],
    [
      'hkdf-sha256 takes no iterations',
      ({ recipients }) => Object.assign(recipients[0], { iterations: 600_000 }),
    ],
    [
      'its key derivation is not one of ours',
      ({ recipients }) => Object.assign(recipients[0], { kdf: 'md5' }),
    ],
    [
      'the cost of its key derivation is missing',
      ({ recipients }) => Object.assign(recipients[0], { kdf: 'pbkdf2-sha256' }),
    ],
    [
      'the cost of its key derivation is missing',
      ({ recipients }) =>
        Object.assign(recipients[0], { kdf: 'pbkdf2-sha256', iterations: '600000' }),
    ],
    [
      'its key derivation costs 1000 iterations; 600000 to 10000000 are accepted',
      ({ recipients }) => Object.assign(recipients[0], { kdf: 'pbkdf2-sha256', iterations: 1_000 }),
    ],
    [
      'an entry has a name that no key can have',
      ({ secrets }) => Object.assign(secrets, { 'a key': secrets.A_KEY }),
    ],
    ['the date of A_KEY is missing', ({ secrets }) => delete secrets.A_KEY.created],
    [
      'the account of A_KEY is not a text',
      ({ secrets }) => Object.assign(secrets.A_KEY, { account: 7 }),
    ],
    [
      'the ciphertext of A_KEY has the wrong length',
      ({ secrets }) => Object.assign(secrets.A_KEY, { ciphertext: 'AAAA' }),
    ],
    ['the generation is not a number', (file) => Object.assign(file, { generation: '1' })],
    ['the generation is not a number', (file) => Object.assign(file, { generation: -1 })],
    ['the generation is not a number', (file) => Object.assign(file, { generation: 1.5 })],
    ['it has no secrets', (file) => Object.assign(file, { secrets: [] })],
  ])('%s', async (what, edit) => {
    expect(await refused(edit)).toEqual({
      code: 'malformed',
      message: `the key store FILE is damaged: ${what}`,
      hint: 'restore the file from a backup; it was left as it is',
    });
  });

  it('a later version asks for a later program, an unknown one for a backup', async () => {
    for (const version of [3, 20]) {
      expect(await refused((file) => Object.assign(file, { version }))).toEqual({
        code: 'malformed',
        message: 'the key store FILE was written by a newer version of this program',
        hint: 'update keypool-mcp; the file was left as it is',
      });
    }
    for (const version of [1, 'three', null]) {
      expect(await refused((file) => Object.assign(file, { version }))).toEqual({
        code: 'malformed',
        message: 'the key store FILE has an unknown version',
        hint: 'restore it from a backup',
      });
    }
  });

  it('an entry that was changed is named, and else what the whole misses', async () => {
    const swapped = await refused(({ secrets }) => {
      secrets.A_KEY.created = '2001-01-01T00:00:00.000Z';
    });
    expect(swapped.message).toContain('the entry A_KEY was changed, or moved there from another');
    const deleted = await refused(({ secrets }) => delete secrets.A_KEY);
    expect(deleted.message).toContain('an entry was added, deleted, renamed or rolled back');
  });
});

describe('a wrong master key', () => {
  const PASSPHRASE = 'a passphrase that a person chose';

  it('of the other kind is told which kind the store wants', async () => {
    const generated = await newStore();
    const first = await refusal(reopen(generated, PASSPHRASE));
    expect(first.code).toBe('wrong_master');
    expect(first.message).toMatch(/: it wants a generated key \(kpm1_…\)$/);
    const chosen = await newStore(PASSPHRASE);
    const second = await refusal(reopen(chosen, generateMasterKey()));
    expect(second.code).toBe('wrong_master');
    expect(second.message).toMatch(/: it was made with a passphrase$/);
  });

  it('of the right kind is told nothing but that it does not open', async () => {
    const generated = await newStore();
    const first = await refusal(reopen(generated, generateMasterKey()));
    expect(first.message).toBe(`the master key does not open the key store ${generated.path}`);
    const chosen = await newStore(PASSPHRASE);
    const second = await refusal(reopen(chosen, `${PASSPHRASE}!`));
    expect(second.message).toBe(`the master key does not open the key store ${chosen.path}`);
  });

  it('of either kind is told nothing of kinds by a store that takes both', async () => {
    const store = await newStore();
    const opened = await reopen(store);
    await opened.addRecipient(classifyMasterKey(PASSPHRASE, 'a test'), 'person');
    expect(opened.recipients).toEqual(['primary', 'person']);
    for (const wrong of [generateMasterKey(), 'another passphrase of a person']) {
      const { message } = await refusal(reopen(store, wrong));
      expect(message).toBe(`the master key does not open the key store ${store.path}`);
    }
  });
});
