/** The two encodings that authenticated bytes depend on: strict base64url and canonical JSON. */

import { isRecord } from '../base/text/json.ts';

/**
 * Decodes base64url strictly: exactly one text stands for given bytes, so white space, the other
 * alphabet, stray bits and missing or extra padding are all refused.
 *
 * @returns null when `text` is not the canonical form
 */
export function decodeBase64url(text: string, padding: 'padded' | 'bare'): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return encodeBase64url(bytes, padding) === text ? bytes : null;
}

export function encodeBase64url(bytes: Uint8Array, padding: 'padded' | 'bare'): string {
  const bare = Buffer.from(bytes).toString('base64url');
  return padding === 'bare' ? bare : bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** One text for one value: keys sorted by code unit, no white space. What MACs are made over. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isRecord(value)) {
    const members = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
