/** AES-256-GCM as it stands in the file: base64url of nonce 12 | ciphertext | tag 16. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { decodeBase64url, encodeBase64url } from '../encoding.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param context authenticated with the box, not part of it */
export function sealBox(key: Uint8Array, plaintext: Uint8Array, context: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return encodeBase64url(Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]), 'bare');
}

/** @returns null when the key, the context or any byte is not what it was sealed with */
export function openBytes(
  key: Uint8Array,
  bytes: Uint8Array,
  context: Uint8Array | null,
): Buffer | null {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  if (context !== null) cipher.setAAD(context);
  cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]);
  } catch {
    return null;
  }
}

export function openBox(key: Uint8Array, box: string, context: Uint8Array): Buffer | null {
  const bytes = decodeBase64url(box, 'bare');
  return bytes === null ? null : openBytes(key, bytes, context);
}
