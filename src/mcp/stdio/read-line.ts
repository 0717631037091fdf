/** What a line on stdio is: JSON in UTF-8, of a bounded length. */

import { parseJson } from '../../base/text/json.ts';
import { decodeUtf8 } from '../../base/text/strict-utf8.ts';

/** Both SDKs stop here too; a prompt and a context at their limits fit, escaped as they may be. */
export const LINE_LIMIT = 10 * 1024 * 1024;

/**
 * A byte order mark is taken in its stride: some Windows clients send one.
 *
 * @returns null when the line is not JSON in UTF-8
 */
export function readLine(bytes: Uint8Array): { readonly value: unknown } | null {
  const text = decodeUtf8(bytes);
  return text === null ? null : parseJson(text);
}

/** Blanks, tabs and carriage returns alone. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 9);
}
