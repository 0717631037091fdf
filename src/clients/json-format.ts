/**
 * JSON as editors write it: comments, trailing commas, any indentation. jsonc-parser reads; the
 * edits are made here by offset, because its own `modify` reformats the neighbours and moves
 * comments to other members. Every result is parsed again and compared before it is returned.
 */

import {
  getNodeValue,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
  visit,
} from 'jsonc-parser';
import type { EntryFields } from './clients.ts';
import {
  type EntryPlace,
  type Format,
  isMembers,
  isSameData,
  mergedData,
  removedData,
  serversOf,
  UneditableText,
} from './format.ts';

interface Document {
  readonly text: string;
  /** The outer object; undefined for a file without any value. */
  readonly root: Node | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function readDocument(text: string): Document {
  const errors: ParseError[] = [];
  const data: unknown = parse(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const [error] = errors;
  if (error !== undefined) {
    const words = printParseErrorCode(error.error).replace(/([a-z])([A-Z])/g, '$1 $2');
    throw new UneditableText(
      `is not valid JSON (${lineAndColumn(text, error.offset)}: ${words.toLowerCase()})`,
    );
  }
  const root = parseTree(text, [], { allowTrailingComma: true, allowEmptyContent: true });
  if (root === undefined) return { text, root, data: {} };
  if (!isMembers(data)) throw new UneditableText('does not hold a JSON object');
  return { text, root, data };
}

function member(object: Node | undefined, key: string): Node | undefined {
  return object?.children?.find((property) => property.children?.[0]?.value === key);
}

function memberValue(property: Node | undefined): Node | undefined {
  return property?.children?.[1];
}

const end = (node: Node): number => node.offset + node.length;

function splice(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to);
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function commentSpans(text: string): Span[] {
  const spans: Span[] = [];
  visit(text, {
    onComment: (from, length) => {
      spans.push({ from, to: from + length });
    },
  });
  return spans;
}

function comments(text: string): string[] {
  return commentSpans(text).map(({ from, to }) => text.slice(from, to));
}

/** Blanks instead of comments, so that offsets hold; the package's own stripComments shifts them. */
function withoutComments(text: string): string {
  return commentSpans(text).reduce(
    (rest, { from, to }) => splice(rest, from, to, ' '.repeat(to - from)),
    text,
  );
}

/** Offset of the comma that follows, comments skipped; -1 when there is none. */
function commaAfter(text: string, offset: number): number {
  const gap = /^\s*,/.exec(withoutComments(text).slice(offset))?.[0];
  return gap === undefined ? -1 : offset + gap.length - 1;
}

/** The end of what stands before `offset`, white space left out. */
function endBefore(text: string, offset: number): number {
  return text.slice(0, offset).trimEnd().length;
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function indentOf(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** One step of indentation: what the first member of the outer object has. */
function unitOf(document: Document): string {
  const first = document.root?.children?.[0];
  const indent = first === undefined ? '' : indentOf(document.text, first.offset);
  return indent === '' ? '  ' : indent;
}

function pretty(value: unknown, unit: string, indent: string, eol: string): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${indent}`);
}

/** Adds a member at the end of an object, in the object's own style. */
function addMember(document: Document, object: Node, key: string, value: unknown): string {
  const { text } = document;
  const [eol, unit] = [eolOf(text), unitOf(document)];
  const close = end(object) - 1;
  const last = object.children?.at(-1);
  const isOneLine = last !== undefined && !text.slice(object.offset, close).includes('\n');
  if (isOneLine) {
    return splice(text, end(last), end(last), `, ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  }
  const outer = indentOf(text, object.offset);
  const inner = last === undefined ? outer + unit : indentOf(text, last.offset);
  const comma = last === undefined ? -1 : commaAfter(text, end(last));
  const at = endBefore(text, close);
  const addition =
    `${eol}${inner}${JSON.stringify(key)}: ${pretty(value, unit, inner, eol)}` +
    (comma >= 0 ? ',' : '');
  const tail = /^[ \t]*\r?\n/.test(text.slice(at, close)) ? '' : `${eol}${outer}`;
  const added = splice(text, at, at, addition + tail);
  return last === undefined || comma >= 0 ? added : splice(added, end(last), end(last), ',');
}

/** Takes a member out, with its comma and the white space before it; comments stay. */
function removeMember(text: string, object: Node, property: Node): string {
  const comma = commaAfter(text, end(property));
  const siblings = object.children ?? [];
  const previous = siblings[siblings.indexOf(property) - 1];
  const rest = comma >= 0 ? text.slice(end(property), comma) + text.slice(comma + 1) : '';
  let from = endBefore(text, property.offset);
  const lineEnd = /^\r?\n/.exec(text.slice(from))?.[0] ?? '';
  // What stood before may be a line comment, which must not swallow what follows.
  if (!/^[ \t]*\r?\n/.test(comma >= 0 ? rest : text.slice(end(property)))) from += lineEnd.length;
  if (comma >= 0) {
    const isOneLine = previous === undefined && !/^[ \t]*\r?\n/.test(rest);
    return isOneLine
      ? text.slice(0, property.offset) + rest.trimStart()
      : text.slice(0, from) + rest;
  }
  const without = splice(text, from, end(property), '');
  if (previous === undefined) return closeUp(without, object);
  const previousComma = commaAfter(text, end(previous));
  return splice(without, previousComma, previousComma + 1, '');
}

/** `{\n}` becomes `{}` again when nothing is left between the braces. */
function closeUp(text: string, object: Node): string {
  const inside = text.slice(object.offset + 1);
  return /^\s*\}/.test(inside) ? text.slice(0, object.offset + 1) + inside.trimStart() : text;
}

/** Sets one member of the object at `path`, and makes the objects that lead there. */
function setMember(text: string, path: readonly string[], key: string, value: unknown): string {
  const document = readDocument(text);
  let object = document.root;
  for (const [depth, step] of path.entries()) {
    const next = memberValue(member(object, step));
    if (next?.type === 'object') {
      object = next;
      continue;
    }
    const nested = [...path.slice(depth + 1), key].reduceRight<unknown>(
      (inner, name) => ({ [name]: inner }),
      value,
    );
    return putMember(document, object, step, nested);
  }
  return putMember(document, object, key, value);
}

function putMember(
  document: Document,
  object: Node | undefined,
  key: string,
  value: unknown,
): string {
  const { text } = document;
  if (object === undefined) {
    const eol = eolOf(text);
    const comments = text.trimEnd();
    return `${comments}${comments === '' ? '' : eol}${pretty({ [key]: value }, '  ', '', eol)}${eol}`;
  }
  const present = memberValue(member(object, key));
  if (present === undefined) return addMember(document, object, key, value);
  if (isSameData(getNodeValue(present), value)) return text;
  const indent = indentOf(text, present.offset);
  const written = pretty(value, unitOf(document), indent, eolOf(text));
  return splice(text, present.offset, end(present), written);
}

/** The parser has the last word: the right data, and every comment that is not our entry's own. */
function checked(after: string, expected: unknown, wanted: readonly string[]): string {
  let isRight = false;
  try {
    const left = comments(after);
    isRight =
      isSameData(readDocument(after).data, expected) &&
      wanted.every((comment) => left.includes(comment));
  } catch {
    isRight = false;
  }
  if (isRight) return after;
  throw new UneditableText('is built in a way that cannot be edited safely');
}

function merge(text: string, place: EntryPlace, fields: EntryFields): string {
  const { data } = readDocument(text);
  const expected = mergedData(data, place, fields);
  if (isSameData(data, expected)) return text;
  const entry = serversOf(data, place.root)?.[place.name];
  if (!isMembers(entry) || !('command' in entry)) {
    return checked(setMember(text, [place.root], place.name, fields), expected, comments(text));
  }
  const merged = Object.entries(fields).reduce(
    (current, [key, value]) => setMember(current, [place.root, place.name], key, value),
    text,
  );
  return checked(merged, expected, comments(text));
}

function remove(text: string, place: EntryPlace): string {
  const { data, root } = readDocument(text);
  if (serversOf(data, place.root)?.[place.name] === undefined) return text;
  const servers = memberValue(member(root, place.root));
  const entry = member(servers, place.name);
  if (servers === undefined || entry === undefined) {
    throw new UneditableText(`names ${place.root} twice`);
  }
  const others = commentSpans(text)
    .filter(({ from }) => from < entry.offset || from >= end(entry))
    .map(({ from, to }) => text.slice(from, to));
  const removed = withoutEmpty(removeMember(text, servers, entry), place.root);
  const isTableKept = serversOf(readDocument(removed).data, place.root) !== undefined;
  return checked(removed, removedData(data, place, isTableKept), others);
}

/** Drops the table of servers when it is empty, unless somebody keeps comments in it. */
function withoutEmpty(text: string, root: string): string {
  const document = readDocument(text);
  const property = member(document.root, root);
  const servers = memberValue(property);
  const isEmpty = servers?.children?.length === 0;
  if (!isEmpty || document.root === undefined || property === undefined) return text;
  if (comments(text.slice(servers.offset, end(servers))).length > 0) return text;
  return removeMember(text, document.root, property);
}

export const jsonFormat: Format = {
  render: (place, fields) =>
    `${JSON.stringify({ [place.root]: { [place.name]: fields } }, null, 2)}\n`,
  has: (text, place) => serversOf(readDocument(text).data, place.root)?.[place.name] !== undefined,
  merge,
  remove,
};
