/** docs/store-format.md says what the code does: its vectors, its limits, its words. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { masterOf } from '../../../lab/store.ts';
import { deriveFernetKey } from '../../../src/secrets/key-derivation.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';
import { GOLDEN_SECRETS, goldenCopy, goldenMaster, goldenText } from '../golden.ts';
import {
  canonical,
  dataKeyOf,
  keyEncryptionKey,
  macOf,
  type ReferenceFile,
  subKey,
} from './reference-reader.ts';
import { json, newStore } from './sealed-store.ts';

const TEXT = readFileSync(new URL('../../../docs/store-format.md', import.meta.url), 'utf8');

interface Vector {
  readonly file: string;
  readonly master: string;
  readonly entry: string;
}

interface LegacyVector {
  readonly file: string;
  readonly master: string;
  readonly salt: string;
  readonly fernet_key: string;
}

function blocks(label: string): string[] {
  const fence = new RegExp(`^\`\`\`json ${label}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...TEXT.matchAll(fence)].map(([, body = '']) => body);
}

const VECTORS = blocks('vectors').map((body): Vector => JSON.parse(body));
const LEGACY = blocks('legacy-vectors').flatMap((body): LegacyVector[] => JSON.parse(body));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** Everything that a vector says, worked out from the file by the second reader. */
function workedOut({ file: name, entry }: Vector) {
  const file: ReferenceFile = JSON.parse(goldenText(name));
  const master = goldenMaster(name);
  const [recipient] = file.recipients;
  const dataKey = dataKeyOf(file, master);
  if (recipient === undefined || dataKey === null) throw new Error(`${name} does not open`);
  const { format, version, file_id, mac } = file;
  const { wrapped: _w, ...header } = recipient;
  const { ciphertext: _c, ...metadata } = file.secrets[entry] ?? { ciphertext: '' };
  const { mac: _m, ...rest } = file;
  const salt = Buffer.from(file_id, 'base64url');
  expect(macOf(file, dataKey)).toBe(mac);
  return {
    file: name,
    master,
    key_encryption_key: text(keyEncryptionKey(recipient, master)),
    recipient_context: canonical({ format, version, file_id, ...header }),
    data_key: text(dataKey),
    entry_key: text(subKey(dataKey, salt, 'keypool-store v2 entries')),
    mac_key: text(subKey(dataKey, salt, 'keypool-store v2 mac')),
    entry,
    entry_context: canonical({ format, version, file_id, name: entry, ...metadata }),
    mac_input_sha256: createHash('sha256').update(canonical(rest)).digest('hex'),
    mac,
  };
}

describe('the paper about the store', () => {
  it('has vectors of both kinds of master key and of both legacy readings', () => {
    expect(VECTORS.map(({ file }) => file)).toEqual(['generated-master.json', 'passphrase.json']);
    expect(LEGACY.map(({ file }) => file)).toEqual(['legacy-text.json', 'legacy-decoded.json']);
  });

  it.each(VECTORS)('works out $file as it says', async (vector) => {
    expect(vector).toEqual(workedOut(vector));
    const path = goldenCopy(vector.file);
    const store = await KeyStore.open({ path, masterKey: masterOf(vector.master) });
    expect(store.get(vector.entry)).toBe(GOLDEN_SECRETS[vector.entry]);
  });

  it.each(LEGACY)('derives the key of $file as it says', async (vector) => {
    expect(vector.master).toBe(goldenMaster(vector.file));
    const salt = Buffer.from(vector.salt, 'base64url');
    const key = await deriveFernetKey(vector.master, salt);
    expect(`${text(key)}=`).toBe(vector.fernet_key);
  });

  it('shows every member that a store has, and no other', async () => {
    const store = await newStore();
    await store.put('DEEPSEEK_API_KEY', 'test-value-one-0123456789', 'main');
    const example = JSON.parse(TEXT.match(/```json\n([\s\S]*?)```/)?.[1] ?? '');
    const written = json(store);
    expect(Object.keys(example)).toEqual(Object.keys(written));
    expect(Object.keys(example.recipients[0])).toEqual(Object.keys(written.recipients[0]));
    expect(Object.keys(example.secrets.DEEPSEEK_API_KEY)).toEqual(
      Object.keys(written.secrets.DEEPSEEK_API_KEY),
    );
  });
});
