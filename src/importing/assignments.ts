/** `NAME=value` in the spellings of shells, programs and their files, in one line. Pure. */

import { readName } from './clues/written-name.ts';
import { withoutRemark } from './remark.ts';

export interface Assignment {
  readonly name: string;
  /** What stands for the value, without its quotes. */
  readonly value: string;
  /** Where the name and where the value begin in the line. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
  /** The quote that is open at the end of the line; null when none is. */
  readonly openQuote: string | null;
}

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
/** `NAME =`, `"NAME":`, `['NAME'] =>`, `$env:NAME =`. */
const BEFORE_SIGN = new RegExp(
  String.raw`(?<![A-Za-z0-9_.$%-]|[{$]\{)(["'\`]?)(${NAME})\1\]?\s*(?::=|=>|=|:(?!//)|：)\s*`,
  'g',
);
/** `set -gx NAME value`, `setx NAME value`, `ENV NAME value`, `NAME value` for `setenv`. */
const COMMAND = new RegExp(
  String.raw`(?:^|[\s;&|])(?:setx|setenv|ENV|ARG|set(?:\s+-{1,2}[A-Za-z]+)+|secret\s+set|config\s+set)\s+(${NAME})\s+(?![=:])`,
  'g',
);
/** `SetEnvironmentVariable("NAME", "value")`, `<add key="NAME" value="…"/>`, `<key>NAME</key><string>…`, `Env:NAME -Value …`. */
const CALL = new RegExp(
  String.raw`(?:\(\s*["'](${NAME})["']\s*,\s*)|(?:\b(?:name|key)=["'](${NAME})["']\s+value=)|(?:<(?:key|name|Key)>(${NAME})</\w+>\s*<\w+>)|(?:\bEnv:\\?(${NAME})["']?\s+(?:-Value\s+)?(?=["']))`,
  'g',
);
const OBJECT_PREFIX =
  /^(?:process\.env|import\.meta\.env|os\.environ|environ|env|ENV|System\.env|window|globalThis|vim\.env|Deno\.env|Bun\.env|config|settings|export|self|this)\./;

const CLOSING: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '„': '“',
};

interface Place {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
}

function places(line: string): Place[] {
  const found: Place[] = [];
  for (const match of line.matchAll(BEFORE_SIGN)) {
    const name = (match[2] ?? '').replace(OBJECT_PREFIX, '');
    found.push({ name, start: match.index, valueStart: match.index + match[0].length });
  }
  for (const pattern of [COMMAND, CALL]) {
    for (const match of line.matchAll(pattern)) {
      const name = match.slice(1).find((group) => group !== undefined) ?? '';
      found.push({ name, start: match.index, valueStart: match.index + match[0].length });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** The end of a quoted text; -1 when it is not closed. A backslash hides the quote behind it. */
function closingAt(line: string, from: number, quote: string): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === quote) return at;
  }
  return -1;
}

function readValue(line: string, place: Place, stop: number): Assignment {
  const { valueStart } = place;
  const quote = CLOSING[line.charAt(valueStart)];
  if (quote !== undefined) {
    const end = closingAt(line, valueStart + 1, quote);
    const value = line.slice(valueStart + 1, end === -1 ? line.length : end);
    const openQuote = end === -1 ? quote : null;
    return { ...place, value, end: end === -1 ? line.length : end + 1, openQuote };
  }
  // `Environment="NAME=value"`: the quote before the name ends the value.
  const around = CLOSING[line.charAt(place.start - 1)];
  const closing = around === undefined ? -1 : line.indexOf(around, valueStart);
  const end = closing === -1 ? stop : Math.min(closing, stop);
  const value = withoutRemark(line.slice(valueStart, end)).trim();
  return { ...place, value, end, openQuote: null };
}

/**
 * Every assignment of the line whose name `isName` knows, in order; what others hold is not looked
 * into twice.
 */
export function assignmentsIn(line: string, isName: (name: string) => boolean): Assignment[] {
  const known = places(line).filter((place) => isName(place.name));
  const found: Assignment[] = [];
  for (const [at, place] of known.entries()) {
    const last = found.at(-1);
    if (last !== undefined && place.start < last.end && last.value !== '') continue;
    const next = known.slice(at + 1).find((other) => other.start > place.valueStart);
    found.push(readValue(line, place, next?.start ?? line.length));
  }
  return found;
}

/** A longer text was written by a program, in a format of its own. */
const LONGEST_TEXT = 10_000;

/** Whether a text gives a value to a variable of the pool: a cell of a notebook, a note, an argument. */
export function assignsPoolKey(text: string): boolean {
  return (
    text.length <= LONGEST_TEXT &&
    assignmentsIn(text, (name) => readName(name).kind === 'pool').length > 0
  );
}
