/** The form of a v2 file, read strictly: what is not known is refused, never ignored. */

import { KeyStoreError } from '../../base/errors.ts';
import { isKeyName } from '../../base/keys/key-names.ts';
import { isRecord } from '../../base/text/json.ts';
import { decodeBase64url, type JsonObject } from '../encoding.ts';
import { MAX_PBKDF2_ITERATIONS, MIN_PBKDF2_ITERATIONS } from '../key-derivation.ts';

export const STORE_FORMAT = 'keypool-store';
export const STORE_VERSION = 2;

/** Each may cost seconds of derivation; rotation needs two. */
const MAX_RECIPIENTS = 8;

/** A recipient as it stands in the file. */
export interface Recipient {
  readonly label: string;
  /** HKDF for the 256 random bits of a generated key, PBKDF2 for whatever a person chose. */
  readonly kdf: 'hkdf-sha256' | 'pbkdf2-sha256';
  /** Only with PBKDF2. */
  readonly iterations?: number;
  readonly salt: string;
  readonly wrapped: string;
}

export interface SealedEntry {
  readonly created: string;
  readonly account?: string | null;
  readonly ciphertext: string;
}

export interface SealedFile {
  readonly fileId: string;
  readonly generation: number;
  readonly recipients: readonly Recipient[];
  readonly secrets: ReadonlyMap<string, SealedEntry>;
  readonly mac: Buffer;
}

/** Says what is wrong in words of ours; nothing of the file is quoted but checked names. */
class Reader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  fail(what: string): never {
    throw new KeyStoreError('malformed', `the key store ${this.#path} is damaged: ${what}`, {
      hint: 'restore the file from a backup; it was left as it is',
    });
  }

  fields(value: unknown, where: string, known: readonly string[]): JsonObject {
    if (!isRecord(value)) return this.fail(`${where} is not an object`);
    if (Object.keys(value).some((field) => !known.includes(field))) {
      return this.fail(`${where} has a field that this version does not know`);
    }
    return value;
  }

  text(value: unknown, where: string): string {
    return typeof value === 'string' ? value : this.fail(`${where} is missing`);
  }

  /** @param length exact number of bytes, or the fewest */
  bytes(value: unknown, where: string, length: { exactly?: number; atLeast?: number }): Buffer {
    const bytes = decodeBase64url(this.text(value, where), 'bare');
    if (bytes === null) return this.fail(`${where} is not canonical base64url`);
    const { exactly, atLeast = 0 } = length;
    const fits = exactly === undefined ? bytes.length >= atLeast : bytes.length === exactly;
    return fits ? bytes : this.fail(`${where} has the wrong length`);
  }
}

function readRecipient(reader: Reader, value: unknown): Recipient {
  const where = 'a recipient';
  const fields = reader.fields(value, where, ['label', 'kdf', 'iterations', 'salt', 'wrapped']);
  const { kdf, iterations } = fields;
  const label = reader.text(fields.label, `${where}'s label`);
  reader.bytes(fields.salt, `${where}'s salt`, { exactly: 16 });
  reader.bytes(fields.wrapped, `${where}'s wrapped key`, { exactly: 60 });
  const salt = reader.text(fields.salt, where);
  const wrapped = reader.text(fields.wrapped, where);
  if (kdf === 'hkdf-sha256') {
    if (iterations !== undefined) return reader.fail('hkdf-sha256 takes no iterations');
    return { label, kdf, salt, wrapped };
  }
  if (kdf !== 'pbkdf2-sha256') return reader.fail('its key derivation is not one of ours');
  if (typeof iterations !== 'number' || !Number.isInteger(iterations)) {
    return reader.fail('the cost of its key derivation is missing');
  }
  if (iterations < MIN_PBKDF2_ITERATIONS || iterations > MAX_PBKDF2_ITERATIONS) {
    return reader.fail(
      `its key derivation costs ${iterations} iterations; ${MIN_PBKDF2_ITERATIONS} to ${MAX_PBKDF2_ITERATIONS} are accepted`,
    );
  }
  return { label, kdf, iterations, salt, wrapped };
}

function readEntry(reader: Reader, name: string, value: unknown): SealedEntry {
  if (!isKeyName(name)) return reader.fail('an entry has a name that no key can have');
  const fields = reader.fields(value, name, ['created', 'account', 'ciphertext']);
  const created = reader.text(fields.created, `the date of ${name}`);
  const { account } = fields;
  if (account !== undefined && account !== null && typeof account !== 'string') {
    return reader.fail(`the account of ${name} is not a text`);
  }
  reader.bytes(fields.ciphertext, `the ciphertext of ${name}`, { atLeast: 28 });
  const ciphertext = reader.text(fields.ciphertext, name);
  // The fields that are there stay as they are: the entry's MAC covers exactly those.
  return account === undefined ? { created, ciphertext } : { created, account, ciphertext };
}

/**
 * @param json has `format: "keypool-store"`
 * @throws KeyStoreError malformed
 */
export function parseSealed(path: string, json: JsonObject): SealedFile {
  const reader = new Reader(path);
  const { version, generation, recipients } = json;
  if (version !== STORE_VERSION) {
    const isNewer = typeof version === 'number' && version > STORE_VERSION;
    throw new KeyStoreError(
      'malformed',
      `the key store ${path} ${isNewer ? 'was written by a newer version of this program' : 'has an unknown version'}`,
      {
        hint: isNewer
          ? 'update keypool-mcp; the file was left as it is'
          : 'restore it from a backup',
      },
    );
  }
  reader.fields(json, 'the file', [
    'format',
    'version',
    'file_id',
    'generation',
    'recipients',
    'secrets',
    'mac',
  ]);
  reader.bytes(json.file_id, 'the file id', { exactly: 16 });
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 0) {
    return reader.fail('the generation is not a number');
  }
  if (!Array.isArray(recipients) || recipients.length === 0 || recipients.length > MAX_RECIPIENTS) {
    return reader.fail(`it has no recipient, or more than ${MAX_RECIPIENTS}`);
  }
  const read = recipients.map((recipient: unknown) => readRecipient(reader, recipient));
  // Whoever can write the file must not make its reader work for minutes before it is refused.
  const cost = read.reduce((sum, { iterations = 0 }) => sum + iterations, 0);
  if (cost > MAX_PBKDF2_ITERATIONS) {
    return reader.fail(
      `its recipients cost ${cost} iterations, more than ${MAX_PBKDF2_ITERATIONS}`,
    );
  }
  const secrets = new Map<string, SealedEntry>();
  if (!isRecord(json.secrets)) return reader.fail('it has no secrets');
  for (const [name, entry] of Object.entries(json.secrets)) {
    secrets.set(name, readEntry(reader, name, entry));
  }
  return {
    fileId: reader.text(json.file_id, 'the file id'),
    generation,
    recipients: read,
    secrets,
    mac: reader.bytes(json.mac, 'the MAC', { exactly: 32 }),
  };
}
