/**
 * What else a text says to whoever decodes it: hex, base64 at any alignment, UTF-16, lists of byte
 * values. Secrets are looked for in every reading, so that none of their encodings has to be made
 * and kept.
 *
 * Every expression here is linear on any text: what can follow a part is never what it is made of.
 */

import { lastBefore, type Reading } from './reading.ts';
import { RUN, type TextSpan } from './run-index.ts';
import { classOf, type IsMember, stretches } from './stretches.ts';

/** Stands between two readings in one text; no secret holds it. */
const BREAK = '\uffff';

/** Parts of a text that were read on their own, several times; `spanOf` places one character. */
function pieced(
  readings: readonly string[],
  spanOf: (reading: number, at: number) => TextSpan,
): Reading {
  const locate = ({ start, end }: TextSpan): TextSpan => {
    let from = 0;
    let index = 0;
    for (const reading of readings) {
      if (start < from + reading.length) break;
      from += reading.length + BREAK.length;
      index++;
    }
    return { start: spanOf(index, start - from).start, end: spanOf(index, end - 1 - from).end };
  };
  return { text: readings.join(BREAK), locate };
}

const BASE64_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_';
/** Lines of one encoding follow each other. */
const isBase64 = classOf(`${BASE64_CHARACTERS}\r\n`);
const LINE_END = /\r\n|[\r\n]/;
/** Eight bytes are eleven characters at least. */
const LEAST_BASE64 = 11;
/** Decodes to bytes that no text of ours holds, and keeps each stretch at a multiple of four. */
const PADDING = '////////';

interface Stretches {
  readonly encoded: string;
  /** Where each line begins in `encoded`, and in the text. */
  readonly places: ReadonlyArray<readonly [number, number]>;
}

/** All base64 in the text, to be decoded at once. */
function base64Stretches(text: string): Stretches {
  const places: Array<readonly [number, number]> = [];
  const parts: string[] = [];
  let length = 0;
  const take = (part: string): void => {
    parts.push(part);
    length += part.length;
  };
  for (const { start, end } of stretches(text, isBase64, LEAST_BASE64)) {
    let at = start;
    for (const line of text.slice(start, end).split(LINE_END)) {
      places.push([length, at]);
      take(line);
      at += line.length + (text.startsWith('\r\n', at + line.length) ? 2 : 1);
    }
    take(PADDING.slice(0, 4 + ((4 - (length % 4)) % 4)));
  }
  return { encoded: parts.join(''), places };
}

interface Decoded {
  readonly shift: number;
  /** Where it begins in what was decoded. */
  readonly from: number;
  readonly text: string;
}

/** What is text in base64 read from one character on: a word that is none decodes to noise. */
function decodedAt(shift: number, encoded: string, isText: IsMember): Decoded[] {
  const decoded = Buffer.from(encoded.slice(shift), 'base64').toString('latin1');
  return stretches(decoded, isText, RUN).map(({ start, end }) => {
    return { shift, from: start, text: decoded.slice(start, end) };
  });
}

function fromBase64(text: string, isText: IsMember): Reading[] {
  const { encoded, places } = base64Stretches(text);
  const decoded = [0, 1, 2, 3].flatMap((shift) => decodedAt(shift, encoded, isText));
  if (decoded.length === 0) return [];
  const placed = (at: number): number => {
    const [from = 0, start = 0] = places[lastBefore(places, ([place]) => place <= at)] ?? [];
    return start + at - from;
  };
  // Byte 0 of three is in the characters 0 and 1 of four, byte 1 in 1 and 2, byte 2 in 2 and 3.
  const spanOf = (piece: number, within: number): TextSpan => {
    const { shift = 0, from = 0 } = decoded[piece] ?? {};
    const at = from + within;
    const first = shift + Math.floor(at / 3) * 4 + (at % 3);
    return { start: placed(first), end: placed(first + 1) + 1 };
  };
  const texts = decoded.map((piece) => piece.text);
  return [pieced(texts, spanOf)];
}

/** Pairs of digits, together or apart by what hex dumps and lists put between them. */
const HEX_PAIRS = /[0-9A-Fa-f]{2}(?:[\s:,-]{0,3}(?:0[xX])?[0-9A-Fa-f]{2}){7,}[0-9A-Fa-f]?/g;

const HEX_DIGITS = '0123456789ABCDEFabcdef';
const isHex = classOf(`${HEX_DIGITS}xX \t\r\n:,-`);

/** The matches of an expression within the stretches of characters that it is made of. */
function* within(
  text: string,
  isMember: (code: number) => boolean,
  least: number,
  expression: RegExp,
): Generator<{ readonly index: number; readonly part: string }> {
  for (const { start, end } of stretches(text, isMember, least)) {
    for (const { index, 0: part } of text.slice(start, end).matchAll(expression)) {
      yield { index: start + index, part };
    }
  }
}

/** Where each digit stands; the zero of `0x` is none. */
function digitPlaces(stretch: string, from: number): number[] {
  const places: number[] = [];
  for (const { index, 0: part } of stretch.matchAll(/0[xX]|[0-9A-Fa-f]/g)) {
    if (part.length === 1) places.push(from + index);
  }
  return places;
}

function fromHex(text: string): Reading[] {
  return [...within(text, isHex, RUN * 2, HEX_PAIRS)].map(({ index, part: stretch }) => {
    const digits = stretch.replace(/0[xX]|[\s:,-]/g, '');
    const decoded = [0, 1].map((shift) =>
      Buffer.from(digits.slice(shift), 'hex').toString('latin1'),
    );
    let places: readonly number[] | null = null;
    return pieced(decoded, (shift, at) => {
      places ??= digitPlaces(stretch, index);
      const start = places[shift + at * 2] ?? index;
      return { start, end: (places[shift + at * 2 + 1] ?? start) + 1 };
    });
  });
}

/** `[115, 107, 45, …]`, as a buffer becomes in JSON. */
const BYTE_LIST = /(?<!\d)\d{1,3}(?:[\s,]{1,3}\d{1,3}){7,}(?!\d)/g;

const isList = classOf('0123456789, \t\r\n');

function fromByteLists(text: string): Reading[] {
  return [...within(text, isList, RUN * 2 - 1, BYTE_LIST)].map(({ index, part: list }) => {
    const numbers = [...list.matchAll(/\d+/g)];
    const decoded = numbers.map(({ 0: number }) => {
      const code = Number(number);
      return code <= 0xff ? String.fromCharCode(code) : BREAK;
    });
    return pieced([decoded.join('')], (_reading, at) => {
      const number = numbers[at];
      const start = index + (number?.index ?? 0);
      return { start, end: start + (number?.[0].length ?? 0) };
    });
  });
}

/** Two characters of ASCII in one, as UTF-16 reads the bytes of a text that is none. */
const isDouble = (code: number): boolean => code >= 0x2020 && code <= 0x7e7e;

function fromDoubles(text: string): Reading[] {
  return stretches(text, isDouble, RUN / 2).map(({ start: index, end }) => {
    const bytes = Buffer.from(text.slice(index, end), 'utf16le');
    const little = bytes.toString('latin1');
    const big = bytes.swap16().toString('latin1');
    return pieced([little, big], (_reading, at) => {
      const start = index + (at >> 1);
      return { start, end: start + 1 };
    });
  });
}

/**
 * What a text without escapes holds in encodings.
 *
 * @param isText says of a byte whether it may be part of a secret, however that is written
 */
export function decodings(text: string, isText: IsMember): Reading[] {
  return [
    ...fromBase64(text, isText),
    ...fromHex(text),
    ...fromByteLists(text),
    ...fromDoubles(text),
  ];
}
