/** A text without its percent, JSON, JavaScript and HTML escapes and without invisible characters. */

import { lastBefore, type Reading } from './reading.ts';
import type { TextSpan } from './run-index.ts';

/** What an escape begins with, and what shows nothing: the zero bytes of UTF-16, for instance. */
const FIRST = /[%\\&\0\p{Cf}]/gu;
const INVISIBLE = /^[\0\p{Cf}]$/u;
const ESCAPE =
  /%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[/"\\nrt]|&#\d{1,7};|&#[xX][0-9A-Fa-f]{1,6};|[\0\p{Cf}]/uy;
const CONTROL: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function characterOf(code: number): string {
  if (!(code <= 0x10ffff)) return '\ufffd';
  const character = String.fromCodePoint(code);
  return INVISIBLE.test(character) ? '' : character;
}

function meaningOf(sequence: string): string {
  const [first = '', second = ''] = sequence;
  if (first === '%') return characterOf(Number.parseInt(sequence.slice(1), 16));
  if (first === '&') {
    const digits = sequence.slice(2, -1);
    return characterOf(/^x/i.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number(digits));
  }
  if (first !== '\\') return '';
  if (second !== 'u' && second !== 'x') return CONTROL[second] ?? second;
  return characterOf(Number.parseInt(sequence.slice(2).replace('{', ''), 16));
}

/** One escape: where it stands in the text, and where what it means stands in the reading. */
interface Replaced {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** Where the character at `at` of the reading stands in the text. */
function placeOf(replaced: readonly Replaced[], at: number): TextSpan {
  const last = replaced[lastBefore(replaced, ({ from }) => from <= at)];
  if (last === undefined) return { start: at, end: at + 1 };
  if (at < last.to) return last;
  const start = last.end + at - last.to;
  return { start, end: start + 1 };
}

/** Whether a secret reads otherwise once its escapes are undone. */
export function holdsEscape(secret: string): boolean {
  return unescaped(secret) !== null;
}

/** null: there is nothing to decode. */
export function unescaped(text: string): Reading | null {
  const replaced: Replaced[] = [];
  let reading = '';
  let copied = 0;
  FIRST.lastIndex = 0;
  // One class of characters is found much faster than any of the sequences that they begin.
  for (let first = FIRST.exec(text); first !== null; first = FIRST.exec(text)) {
    const start = first.index;
    ESCAPE.lastIndex = start;
    if (!ESCAPE.test(text)) continue;
    const end = ESCAPE.lastIndex;
    FIRST.lastIndex = end;
    reading += text.slice(copied, start);
    const from = reading.length;
    reading += meaningOf(text.slice(start, end));
    replaced.push({ start, end, from, to: reading.length });
    copied = end;
  }
  if (replaced.length === 0) return null;
  const locate = ({ start, end }: TextSpan): TextSpan => ({
    start: placeOf(replaced, start).start,
    end: placeOf(replaced, end - 1).end,
  });
  return { text: reading + text.slice(copied), locate };
}
