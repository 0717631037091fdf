/**
 * TOML with comments kept. No editor for it on npm is safe here: the one maintained candidate
 * loses comments above a table and writes trailing commas that only TOML 1.1 knows. So the edits
 * are whole lines, tried out in order of likelihood, and smol-toml is the judge: the first attempt
 * that parses to exactly the data it should is taken, and none is a refusal.
 */

import { parse, stringify, TomlError } from 'smol-toml';
import { isRecord } from '../base/text/json.ts';
import type { EntryFields, FieldValue } from './client.ts';
import {
  type EntryPlace,
  type Format,
  isSameData,
  mergedData,
  removedData,
  serversOf,
  UneditableText,
} from './file-format.ts';

type Data = Readonly<Record<string, unknown>>;

function read(text: string): Data {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    const place = error instanceof TomlError ? ` (line ${error.line}, column ${error.column})` : '';
    throw new UneditableText(`is not valid TOML${place}`);
  }
}

function isRead(text: string, expected: Data): boolean {
  try {
    return isSameData(read(text), expected);
  } catch {
    return false;
  }
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** A key as it may be written: bare, or in either kind of quotes. */
const keyPattern = (key: string): string =>
  `(?:"${escaped(key)}"|'${escaped(key)}'|${escaped(key)})`;

const ANY_HEADER = /^\s*\[/;
const EMPTY_OR_COMMENT = /^\s*(?:#.*)?$/;

/** The lines of the entry's own table, sub-tables included: from its header to the next one. */
function* tables(lines: readonly string[], place: EntryPlace): Generator<[number, number]> {
  const path = `${keyPattern(place.root)}\\s*\\.\\s*${keyPattern(place.name)}`;
  const header = new RegExp(`^\\s*\\[\\s*${path}\\s*(?:\\]|\\.)`);
  for (const [start, line] of lines.entries()) {
    if (!header.test(line)) continue;
    let end = start + 1;
    while (
      end < lines.length &&
      (!ANY_HEADER.test(lines[end] ?? '') || header.test(lines[end] ?? ''))
    ) {
      end++;
    }
    // Comments at the end belong to what follows.
    while (end > start + 1 && EMPTY_OR_COMMENT.test(lines[end - 1] ?? '')) end--;
    yield [start, end];
  }
}

/** The table as a block, or the entry as one line of the table above it. */
function* removals(text: string, place: EntryPlace): Generator<string> {
  const lines = text.split('\n');
  for (const [start, end] of tables(lines, place)) {
    const isBlankBefore = start > 0 && (lines[start - 1] ?? '').trim() === '';
    const isBlankAfter = end >= lines.length || (lines[end] ?? '').trim() === '';
    const from = isBlankBefore && isBlankAfter ? start - 1 : start;
    yield [...lines.slice(0, from), ...lines.slice(end)].join('\n');
  }
  const root = `(?:${keyPattern(place.root)}\\s*\\.\\s*)?`;
  const member = new RegExp(`^\\s*${root}${keyPattern(place.name)}\\s*=`);
  for (const [at, line] of lines.entries()) {
    if (member.test(line)) yield [...lines.slice(0, at), ...lines.slice(at + 1)].join('\n');
  }
}

function assignment(key: string, value: FieldValue): string {
  return stringify({ [key]: value }).trimEnd();
}

/** One key of the entry's table set: its lines replaced, or a line added below the header. */
function* settings(text: string, place: EntryPlace, key: string, value: FieldValue) {
  const lines = text.split('\n');
  const ending = eolOf(text).slice(0, -1);
  const written = assignment(key, value) + ending;
  const start = new RegExp(`^\\s*${keyPattern(key)}\\s*=`);
  for (const [from, to] of tables(lines, place)) {
    for (let at = from + 1; at < to; at++) {
      if (!start.test(lines[at] ?? '')) continue;
      // A value may go over several lines; which ones, the parser tells.
      for (let next = at + 1; next <= to; next++) {
        yield [...lines.slice(0, at), written, ...lines.slice(next)].join('\n');
      }
    }
    yield [...lines.slice(0, from + 1), written, ...lines.slice(from + 1)].join('\n');
  }
}

function render(place: EntryPlace, fields: EntryFields): string {
  return `${stringify({ [place.root]: { [place.name]: fields } }).trim()}\n`;
}

function append(text: string, place: EntryPlace, fields: EntryFields): string {
  const eol = eolOf(text);
  const block = render(place, fields).replaceAll('\n', eol);
  if (text.trim() === '') return text + block;
  // A file without a last line end stays one.
  return text.endsWith('\n') ? text + eol + block : text + eol + eol + block.trimEnd();
}

function refuse(place: EntryPlace): never {
  throw new UneditableText(
    `defines ${place.root}.${place.name} or ${place.root} in a form that cannot be edited safely`,
  );
}

function update(text: string, place: EntryPlace, fields: EntryFields): string {
  return Object.entries(fields).reduce((current, [key, value]) => {
    const expected = mergedData(read(current), place, { [key]: value });
    if (isSameData(read(current), expected)) return current;
    for (const attempt of settings(current, place, key, value)) {
      if (isRead(attempt, expected)) return attempt;
    }
    return refuse(place);
  }, text);
}

function merge(text: string, place: EntryPlace, fields: EntryFields): string {
  const data = read(text);
  const expected = mergedData(data, place, fields);
  if (isSameData(data, expected)) return text;
  const entry = serversOf(data, place.root)?.[place.name];
  if (isRecord(entry) && 'command' in entry) return update(text, place, fields);
  const base = entry === undefined ? text : remove(text, place);
  const merged = append(base, place, fields);
  return isRead(merged, expected) ? merged : refuse(place);
}

function remove(text: string, place: EntryPlace): string {
  const data = read(text);
  if (serversOf(data, place.root)?.[place.name] === undefined) return text;
  const expected = [removedData(data, place, false), removedData(data, place, true)];
  for (const attempt of removals(text, place)) {
    if (expected.some((wanted) => isRead(attempt, wanted))) return attempt;
  }
  return refuse(place);
}

export const tomlFormat: Format = {
  render,
  has: (text, place) => serversOf(read(text), place.root)?.[place.name] !== undefined,
  hasTable: (text, place) => serversOf(read(text), place.root) !== undefined,
  merge,
  remove,
};
