/**
 * Upstream text is data: what a terminal or a reader could be fooled with is taken out, its size
 * is bounded, and a cut is said aloud.
 */

import { withoutInvisible } from './invisible.ts';

/** CSI and OSC sequences, and any other two-byte escape. */
const ANSI =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-~]?/g;

/** C0 but tab and newline, DEL, C1. */
const CONTROL = /(?![\t\n])\p{Cc}/gu;

const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * Any character that one of the rules here, or of invisible.ts, might take. Almost no text has one,
 * and one look is cheaper than five replacements.
 */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: code units, one by one, are meant
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uD800-\uDFFF\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB]/;

/** Half a surrogate pair is no character, and strict JSON parsers refuse it. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\uFFFD');
}

/** The same text without control, ANSI, bidirectional and invisible characters. */
export function cleanText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const oneNewline = wellFormed(text).replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n');
  return withoutInvisible(oneNewline.replace(ANSI, '').replace(CONTROL, ''));
}

/** `cleanText` on one line, for titles, addresses and names. */
export function cleanLine(text: string, limit: number): string {
  return cutText(cleanText(text).replace(/\s+/g, ' ').trim(), limit);
}

/** `text` within `limit` characters; an ellipsis stands for what was cut. */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : `${headOf(text, limit - 1)}…`;
}

/** The first `limit` characters, never half of a surrogate pair. */
export function headOf(text: string, limit: number): string {
  const last = text.charCodeAt(limit - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? limit - 1 : limit);
}
