/**
 * Upstream text is data: what a terminal or a reader could be fooled with is taken out, its size
 * is bounded, and a cut is said aloud.
 */

/** CSI and OSC sequences, and any other two-byte escape. */
const ANSI =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-~]?/g;

/** C0 but tab and newline, DEL, C1. */
const CONTROL = /(?![\t\n])\p{Cc}/gu;

/**
 * Characters that change the order of what is read (Trojan Source, CVE-2021-42574), and those
 * that nobody sees but a model reads: tags, byte order marks, invisible operators.
 */
const UNSEEN = /[\p{Bidi_Control}\u200B\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * Any character that one of the rules above, or one about line ends, might take. Almost no text has
 * one, and one look is cheaper than five replacements.
 */
const SUSPECT =
  /[^\t\n -~\u00A0-\u061B\u061D-\u200A\u2010-\u2027\u202F-\u205F\u2070-\uD7FF\uE000-\uFEFE\uFF00-\uFFF8\uFFFC\uFFFD]/;

/** Half a surrogate pair is no character, and strict JSON parsers refuse it. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\uFFFD');
}

/** The same text without control, ANSI, bidirectional and invisible characters. */
export function cleanText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const oneNewline = text.replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n');
  return wellFormed(oneNewline.replace(ANSI, '').replace(CONTROL, '').replace(UNSEEN, ''));
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

/** 400000 → "400,000". */
export function grouped(count: number): string {
  const digits = String(count);
  const head = digits.length % 3 || 3;
  return digits.slice(0, head) + digits.slice(head).replace(/\d{3}/g, ',$&');
}
