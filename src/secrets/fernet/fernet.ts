/**
 * Fernet by its specification (github.com/fernet/spec), version 0x80.
 *
 *     Version 8 ‖ Timestamp 64 ‖ IV 128 ‖ Ciphertext n × 128 ‖ HMAC 256
 *
 * The key is Signing-key 128 ‖ Encryption-key 128. Pure: time and IV may be passed in.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { decodeBase64url, encodeBase64url } from '../encoding.ts';

export const FERNET_KEY_BYTES = 32;
export const FERNET_VERSION = 0x80;

const HALF = FERNET_KEY_BYTES / 2;
const TIMESTAMP_AT = 1;
const IV_AT = 9;
const CIPHERTEXT_AT = 25;
const BLOCK = 16;
const HMAC_BYTES = 32;
const SHORTEST = CIPHERTEXT_AT + BLOCK + HMAC_BYTES;
const MAX_CLOCK_SKEW_SECONDS = 60;

export interface FernetMessage {
  readonly plaintext: Buffer;
  /** When the token was made, in seconds since 1970. */
  readonly timestamp: bigint;
}

interface EncryptOptions {
  /** Seconds since 1970; default: now. */
  readonly now?: number;
  /** 16 bytes; default: random. Never the same twice under one key. */
  readonly iv?: Uint8Array;
}

interface DecryptOptions {
  /** Refuse tokens older than this, or from more than 60 s in the future. Default: any age. */
  readonly ttlSeconds?: number;
  /** Seconds since 1970; default: now. */
  readonly now?: number;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function sign(key: Uint8Array, body: Uint8Array): Buffer {
  return createHmac('sha256', key.subarray(0, HALF)).update(body).digest();
}

/** @param key 32 bytes */
export function encryptFernet(
  key: Uint8Array,
  plaintext: Uint8Array,
  options: EncryptOptions = {},
): string {
  const iv = options.iv ?? randomBytes(BLOCK);
  const header = Buffer.alloc(IV_AT);
  header.writeUInt8(FERNET_VERSION, 0);
  header.writeBigUInt64BE(BigInt(options.now ?? nowSeconds()), TIMESTAMP_AT);
  const cipher = createCipheriv('aes-128-cbc', key.subarray(HALF), iv);
  const body = Buffer.concat([header, iv, cipher.update(plaintext), cipher.final()]);
  return encodeBase64url(Buffer.concat([body, sign(key, body)]), 'padded');
}

function isInTime(timestamp: bigint, { ttlSeconds, now }: DecryptOptions): boolean {
  if (ttlSeconds === undefined) return true;
  const at = BigInt(now ?? nowSeconds());
  return timestamp + BigInt(ttlSeconds) >= at && timestamp <= at + BigInt(MAX_CLOCK_SKEW_SECONDS);
}

function decipher(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer | null {
  const cipher = createDecipheriv('aes-128-cbc', key.subarray(HALF), iv);
  try {
    return Buffer.concat([cipher.update(ciphertext), cipher.final()]);
  } catch {
    // Bad padding under a good HMAC: whoever signed it did not follow the specification.
    return null;
  }
}

/**
 * Verifies and decrypts, in the order of the specification: form, age, HMAC, and only then the
 * ciphertext.
 *
 * @param key 32 bytes
 * @returns null for whatever is not a valid token of this key
 */
export function decryptFernet(
  key: Uint8Array,
  token: string,
  options: DecryptOptions = {},
): FernetMessage | null {
  const bytes = decodeBase64url(token, 'padded');
  if (bytes === null || bytes.length < SHORTEST || bytes[0] !== FERNET_VERSION) return null;
  const body = bytes.subarray(0, -HMAC_BYTES);
  const ciphertext = body.subarray(CIPHERTEXT_AT);
  if (ciphertext.length % BLOCK !== 0) return null;
  const timestamp = body.readBigUInt64BE(TIMESTAMP_AT);
  if (!isInTime(timestamp, options)) return null;
  if (!timingSafeEqual(sign(key, body), bytes.subarray(-HMAC_BYTES))) return null;
  const plaintext = decipher(key, body.subarray(IV_AT, CIPHERTEXT_AT), ciphertext);
  return plaintext === null ? null : { plaintext, timestamp };
}
