/** Both ways with the program that wrote the legacy files: Python's `cryptography`. */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeKey, masterOf, temporaryFolder } from '../../../lab/store.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../../src/secrets/master-key.ts';

const PYTHON = '/usr/bin/python3';
const hasPython = spawnSync(PYTHON, ['-c', 'import cryptography.fernet']).status === 0;
if (!hasPython) {
  console.log('SKIPPED: the tests against Python, because python3-cryptography is not installed');
}

/** stdin: {mode, reading, master, file: {name: value or token}}; stdout: the other of the two. */
const PROGRAM = `
import base64, json, sys
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
job = json.load(sys.stdin)
master = job["master"]
salt = master.encode()[:16] if job["reading"] == "text" else base64.urlsafe_b64decode(master)[:16]
kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=100000)
fernet = Fernet(base64.urlsafe_b64encode(kdf.derive(master.encode())))
act = fernet.encrypt if job["mode"] == "encrypt" else fernet.decrypt
print(json.dumps({name: act(value.encode()).decode() for name, value in job["file"].items()}))
`;

type Values = Readonly<Record<string, string>>;

function python(
  mode: 'encrypt' | 'decrypt',
  reading: string,
  master: string,
  file: Values,
): Values {
  const input = JSON.stringify({ mode, reading, master, file });
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', PROGRAM], {
    input,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const base64Master = (): string => randomBytes(32).toString('base64url').padEnd(44, '=');

describe.skipIf(!hasPython)('a legacy file', () => {
  const masters: ReadonlyArray<readonly [string, string, string]> = [
    ['a base64 key, salt from its text', 'text', base64Master()],
    ['a base64 key, salt from its bytes', 'decoded', base64Master()],
    ['a passphrase', 'text', 'correct horse battery staple'],
    ['a short one', 'text', 'pw'],
    ['one with letters beyond ASCII', 'text', 'Schlüssel für die Maschine'],
  ];

  it.each(masters)(
    'of Python opens here, and goes on opening there: %s',
    async (_what, reading, master) => {
      const path = join(temporaryFolder(), 'encrypted_secrets.json');
      const values = { DEEPSEEK_API_KEY: fakeKey(), BYBIT_SECRET: 'päßwörter-test-0123456789' };
      writeFileSync(path, JSON.stringify(python('encrypt', reading, master, values)));
      const store = await KeyStore.open({ path, masterKey: masterOf(master) });
      expect(store.format).toBe('fernet');
      for (const [name, value] of Object.entries(values)) expect(store.get(name)).toBe(value);
      const added = fakeKey();
      await store.put('DEEPSEEK_API_KEY_2', added);
      const file: Values = JSON.parse(readFileSync(path, 'utf8'));
      expect(python('decrypt', reading, master, file)).toEqual({
        ...values,
        DEEPSEEK_API_KEY_2: added,
      });
    },
  );

  it('exported from v2 opens in Python, after a migration and with a generated key', async () => {
    const path = join(temporaryFolder(), 'encrypted_secrets.json');
    const master = base64Master();
    const values = { DEEPSEEK_API_KEY: fakeKey() };
    writeFileSync(path, JSON.stringify(python('encrypt', 'decoded', master, values)));
    const migrated = await KeyStore.open({ path, masterKey: masterOf(master) });
    await migrated.migrate();
    expect(migrated.format).toBe('sealed');
    const flat: Values = JSON.parse(await migrated.exportFernet());
    expect(python('decrypt', 'text', master, flat)).toEqual(values);

    const generated = generateMasterKey();
    const fresh = await KeyStore.create({ path: `${path}.new`, masterKey: masterOf(generated) });
    await fresh.put('BYBIT_SECRET', values.DEEPSEEK_API_KEY);
    const exported: Values = JSON.parse(await fresh.exportFernet());
    expect(python('decrypt', 'text', generated, exported)).toEqual({
      BYBIT_SECRET: values.DEEPSEEK_API_KEY,
    });
  });
});
