/**
 * Edits YAML by lines: only those of our entry are written, so that comments, quotes and line ends
 * of everything else stay to the letter. Every result is read again and compared.
 */

import { isMap, isScalar, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';
import { isRecord } from '../base/text/json.ts';
import type { EntryFields } from './client.ts';
import {
  type EntryPlace,
  type Format,
  isSameData,
  mergedData,
  removedData,
  serversOf,
  UneditableText,
} from './file-format.ts';

interface Document {
  readonly data: Readonly<Record<string, unknown>>;
  /** Null for a file that holds comments only. */
  readonly root: YAMLMap | null;
}

/** @throws UneditableText; the parser's message may quote the file, and is not repeated */
function read(text: string): Document {
  const document = parseDocument(text, { logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw new UneditableText(`is not valid YAML${line === undefined ? '' : ` (line ${line})`}`);
  }
  const { contents } = document;
  if (contents === null) return { data: {}, root: null };
  const data: unknown = document.toJS();
  if (!isMap(contents) || !isRecord(data)) throw new UneditableText('does not hold a YAML map');
  return { data, root: contents };
}

function refuse(place: EntryPlace): never {
  throw new UneditableText(`has ${place.root} in a form that cannot be edited safely`);
}

const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

function pairNamed(map: YAMLMap | null, name: string): Pair | undefined {
  return map?.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** Where a pair's key begins, and where its value ends. */
function spanOf({ key, value }: Pair): { start: number; end: number } | null {
  const begin = isScalar(key) ? key.range?.[0] : undefined;
  const node = isMap(value) || isScalar(value) ? value : undefined;
  const end = node?.range?.[1];
  return begin === undefined || begin === null || end === undefined ? null : { start: begin, end };
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

function nextLine(text: string, at: number): number {
  // A value may end behind its line end already.
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function block(value: unknown, indent: string, eol: string): string {
  const lines = stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
  return lines.map((line) => `${indent}${line}${eol}`).join('');
}

/** Whole lines put in at an offset; a file without a last line end stays one. */
function putLines(text: string, at: number, lines: string, eol: string): string {
  const before = text.slice(0, at);
  if (before === '' || before.endsWith('\n')) return before + lines + text.slice(at);
  return before + eol + lines.trimEnd();
}

/** The map of servers as a block, or undefined where there is none yet. */
function serversIn(root: YAMLMap | null, place: EntryPlace): YAMLMap | undefined {
  const value = pairNamed(root, place.root)?.value;
  if (value === undefined) return undefined;
  return isMap(value) && value.flow !== true && value.items.length > 0 ? value : refuse(place);
}

function without(text: string, pair: Pair, place: EntryPlace): { text: string; at: number } {
  const span = spanOf(pair) ?? refuse(place);
  const at = lineStart(text, span.start);
  return { text: text.slice(0, at) + text.slice(nextLine(text, span.end)), at };
}

function merge(text: string, place: EntryPlace, fields: EntryFields): string {
  const { data, root } = read(text);
  const expected = mergedData(data, place, fields);
  if (isSameData(data, expected)) return text;
  const eol = eolOf(text);
  const entry = { [place.name]: serversOf(expected, place.root)?.[place.name] };
  const servers = serversIn(root, place);
  let merged: string;
  if (servers === undefined) {
    merged = putLines(text, text.length, block({ [place.root]: entry }, '', eol), eol);
  } else {
    const first = spanOf(servers.items[0] ?? refuse(place)) ?? refuse(place);
    const indent = text.slice(lineStart(text, first.start), first.start);
    if (indent.trim() !== '') refuse(place);
    const ours = pairNamed(servers, place.name);
    const last = spanOf(servers.items.at(-1) ?? refuse(place)) ?? refuse(place);
    const base =
      ours === undefined ? { text, at: nextLine(text, last.end) } : without(text, ours, place);
    merged = putLines(base.text, base.at, block(entry, indent, eol), eol);
  }
  return checked(merged, expected, place);
}

function checked(after: string, expected: unknown, place: EntryPlace): string {
  let isRight = false;
  try {
    isRight = isSameData(read(after).data, expected);
  } catch {
    isRight = false;
  }
  return isRight ? after : refuse(place);
}

function remove(text: string, place: EntryPlace): string {
  const { data, root } = read(text);
  if (serversOf(data, place.root)?.[place.name] === undefined) return text;
  const servers = serversIn(root, place);
  const isLast = servers?.items.length === 1;
  const pair = isLast ? pairNamed(root, place.root) : pairNamed(servers ?? null, place.name);
  if (pair === undefined) return refuse(place);
  return checked(without(text, pair, place).text, removedData(data, place, false), place);
}

export const yamlFormat: Format = {
  render: (place, fields) => block({ [place.root]: { [place.name]: fields } }, '', '\n'),
  has: (text, place) => serversOf(read(text).data, place.root)?.[place.name] !== undefined,
  hasTable: (text, place) => serversOf(read(text).data, place.root) !== undefined,
  merge,
  remove,
};
