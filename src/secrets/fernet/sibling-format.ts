/**
 * The form of a sibling program, for import only: base64url of
 * `0x02 | nonce 12 | AES-256-GCM ciphertext | tag 16` under a key of 32 raw bytes.
 */

import { KeyStoreError } from '../../base/errors.ts';
import { parseRecord } from '../../base/text/json.ts';
import type { JsonObject } from '../encoding.ts';
import { openBytes } from '../sealed/sealed-box.ts';
import { GCM_VERSION } from './fernet-format.ts';

const SHORTEST = 1 + 12 + 16;
const KEY_BYTES = 32;

function tokenBytes(value: unknown): Buffer | null {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+={0,2}$/.test(value)) return null;
  const bytes = Buffer.from(value, 'base64url');
  return bytes[0] === GCM_VERSION && bytes.length >= SHORTEST ? bytes : null;
}

/** @returns the file when every value is of that form, otherwise null */
export function parseSibling(text: string): JsonObject | null {
  const json = parseRecord(text.replace(/^\uFEFF/, ''));
  const values = Object.values(json ?? {});
  return values.length > 0 && values.every((value) => tokenBytes(value) !== null) ? json : null;
}

/** 32 bytes as hex, base64, base64url or as they are; anything else was stretched in ways unknown. */
function rawKey(text: string): Buffer | null {
  const readings = [
    /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : null,
    /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null,
    Buffer.from(text, 'utf8'),
  ];
  return readings.find((bytes) => bytes?.length === KEY_BYTES) ?? null;
}

/**
 * @param key what stands in ENCRYPTION_KEY; undefined when it is not set
 * @returns name → value
 * @throws KeyStoreError no_master, bad_master, wrong_master
 */
export function openSibling(
  file: JsonObject,
  key: string | undefined,
): ReadonlyMap<string, string> {
  if (key === undefined) {
    throw new KeyStoreError(
      'no_master',
      'the file is encrypted in the AES-GCM form of another program',
      {
        hint: 'set ENCRYPTION_KEY to its key for this one command',
      },
    );
  }
  const bytes = rawKey(key);
  if (bytes === null) {
    throw new KeyStoreError('bad_master', 'ENCRYPTION_KEY is not a key of 32 bytes', {
      hint: 'only raw keys are supported (64 hex digits or 44 characters of base64); export the keys with the program that wrote the file',
    });
  }
  const values = new Map<string, string>();
  for (const [name, token] of Object.entries(file)) {
    const sealed = tokenBytes(token);
    const plaintext = sealed === null ? null : openBytes(bytes, sealed.subarray(1), null);
    if (plaintext === null) {
      throw new KeyStoreError(
        'wrong_master',
        'ENCRYPTION_KEY does not open the file, or the file was changed',
        {
          hint: 'use the key of the program that wrote it; nothing was imported',
        },
      );
    }
    values.set(name, plaintext.toString('utf8'));
  }
  return values;
}
