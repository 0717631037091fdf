import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../../lab/store.ts';
import { KeyStoreError } from '../../../src/base/errors.ts';
import { FernetDocument } from '../../../src/secrets/fernet/fernet-format.ts';
import { deriveFernetKey, fernetSalts } from '../../../src/secrets/key-derivation.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';

const MASTER = 'a legacy passphrase';
/** Made with Python's `cryptography`, one for each reading of "the first 16 bytes". */
const PINNED = 'dGVzdC1tYXN0ZXIta2V5LWZvci1maXh0dXJlcy0wMDE=';

async function legacy(
  values: Readonly<Record<string, string>>,
): Promise<{ path: string; file: Record<string, string> }> {
  const path = join(temporaryFolder(), 'encrypted_secrets.json');
  let flat = await FernetDocument.create({ kind: 'passphrase', text: MASTER });
  for (const [name, value] of Object.entries(values)) {
    flat = flat.withSecret(name, { value, account: null, createdAt: '2026-01-02T03:04:05.000Z' });
  }
  writeFileSync(path, flat.serialize());
  return { path, file: JSON.parse(flat.serialize()) };
}

const open = (path: string, master = MASTER) =>
  KeyStore.open({ path, masterKey: masterOf(master) });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'opened',
    (error: unknown) => (error instanceof KeyStoreError ? error.code : 'another error'),
  );

describe('the legacy key derivation', () => {
  it('reads "the first 16 bytes" as text first, then as base64', async () => {
    const [text, decoded] = fernetSalts(PINNED);
    expect(text?.toString()).toBe('dGVzdC1tYXN0ZXIt');
    expect(decoded?.toString()).toBe('test-master-key-');
    // Both as Python's PBKDF2HMAC(SHA256, 32, salt, 100000) derives them.
    expect((await deriveFernetKey(PINNED, text ?? Buffer.alloc(0))).toString('base64url')).toBe(
      'Q3KDPwSHWetYrXvGXed9YFLCMg6jwCG3DkosoTBixZQ',
    );
    expect((await deriveFernetKey(PINNED, decoded ?? Buffer.alloc(0))).toString('base64url')).toBe(
      'nkxejF8sEz0xi9bN7CZ5KXzizsWDh3zOJsrZ2ntBmxg',
    );
  });

  it.each([
    [
      'text',
      'gAAAAABrBxi0qQQme6EjKgUdOrlmeS292yti65N6GJ-g54pDJOTtzEqHSDSlDc-AF8BoGEbb6kZuTlt_H-HHt8o4jwKUSxeZ5jmfOY3R5emi7_G3kTCWsl8=',
    ],
    [
      'decoded',
      'gAAAAABrBxi0YU6l3tdtjkYsIlcnDCb_V3Fo5jgTJS0nOz_tKYuqQyync7Q19Vte3ddazWM-aQO7Y2mfKipwDq2uFVXLUZ2Rt1jZE1ld0dzhN-0yd04QNsg=',
    ],
  ])('opens a token that Python made with the %s reading', async (_reading, token) => {
    const path = join(temporaryFolder(), 'encrypted_secrets.json');
    writeFileSync(path, JSON.stringify({ BYBIT_API_KEY: token }));
    expect((await open(path, PINNED)).get('BYBIT_API_KEY')).toBe('pinned-test-value-0123456789');
  });
});

describe('a legacy store', () => {
  it('stays legacy when keys are added, and keeps the bytes of the others', async () => {
    const { path, file } = await legacy({ A_KEY: fakeKey() });
    const store = await open(path);
    await store.put('B_KEY', fakeKey());
    const after: Record<string, string> = JSON.parse(readFileSync(path, 'utf8'));
    expect(Object.keys(after)).toEqual(['A_KEY', 'B_KEY']);
    expect(after.A_KEY).toBe(file.A_KEY);
    expect((await open(path)).format).toBe('fernet');
  });

  it('tells when a key was made from its token', async () => {
    const { path } = await legacy({ A_KEY: fakeKey() });
    expect((await open(path)).list()[0]?.createdAt).toBe('2026-01-02T03:04:05.000Z');
  });

  it('tells a wrong master key, which opens nothing, from damage, which leaves some', async () => {
    const { path, file } = await legacy({ A_KEY: fakeKey(), B_KEY: fakeKey() });
    expect(await codeOf(open(path, 'another passphrase'))).toBe('wrong_master');
    const token = file.B_KEY ?? '';
    writeFileSync(
      path,
      JSON.stringify({
        ...file,
        B_KEY: `${token.slice(0, 30)}${token[30] === 'A' ? 'B' : 'A'}${token.slice(31)}`,
      }),
    );
    expect(await codeOf(open(path))).toBe('tampered');
  });

  it('has no place for an account label', async () => {
    const { path } = await legacy({ A_KEY: fakeKey() });
    const before = readFileSync(path);
    expect(await codeOf((await open(path)).put('B_KEY', fakeKey(), 'main'))).toBe('invalid_value');
    expect(readFileSync(path)).toEqual(before);
  });
});

describe('migration', () => {
  it('leaves v2 at the path and the old file beside it', async () => {
    const values = { A_KEY: fakeKey(), B_KEY: fakeKey() };
    const { path } = await legacy(values);
    const old = readFileSync(path);
    const store = await open(path);
    const beside = await store.migrate(new Date('2026-11-25T00:00:00Z'));
    expect(beside).toBe(`${path}.legacy-2026-11-25`);
    expect(readFileSync(beside ?? '')).toEqual(old);
    const migrated = await open(path);
    expect(migrated.format).toBe('sealed');
    for (const [name, value] of Object.entries(values)) expect(migrated.get(name)).toBe(value);
    expect(migrated.list()[0]?.createdAt).toBe('2026-01-02T03:04:05.000Z');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await migrated.migrate()).toBeNull();
  });

  it('goes on where an earlier one was killed, and never takes the name of an older copy', async () => {
    const { path } = await legacy({ A_KEY: fakeKey() });
    const now = new Date('2026-11-25T00:00:00Z');
    // Killed between the copy and the replacement: the copy is the same file.
    const { linkSync } = await import('node:fs');
    linkSync(path, `${path}.legacy-2026-11-25`);
    expect(await (await open(path)).migrate(now)).toBe(`${path}.legacy-2026-11-25`);
    // A second legacy file on the same day.
    const { path: other } = await legacy({ B_KEY: fakeKey() });
    writeFileSync(path, readFileSync(other));
    expect(await (await open(path)).migrate(now)).toBe(`${path}.legacy-2026-11-25-2`);
    expect(existsSync(`${path}.legacy-2026-11-25`)).toBe(true);
  });

  it('changes nothing when a name cannot stand in v2', async () => {
    const { path } = await legacy({ lower_case: fakeKey() });
    const before = readFileSync(path);
    expect(await codeOf((await open(path)).migrate())).toBe('invalid_name');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(join(path, '..'))).toEqual(['encrypted_secrets.json']);
  });
});
