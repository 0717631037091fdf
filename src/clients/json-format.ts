/**
 * Edits JSON by offset, so that comments, indentation and line ends of everything else stay to the
 * letter; editors that print a changed tree reformat the neighbours. Every result is read again
 * and compared before it is returned.
 */

import { evaluate, type MemberNode, type ObjectNode } from '@humanwhocodes/momoa';
import type { EntryFields } from './client.ts';
import { editCondensed } from './condensed-json.ts';
import {
  type EntryPlace,
  type Format,
  isOurEntry,
  isSameData,
  mergedData,
  removedData,
  serversOf,
  UneditableText,
} from './file-format.ts';
import {
  commaAfter,
  commentsIn,
  type Document,
  endOf,
  memberNamed,
  objectNamed,
  readDocument,
  startOf,
} from './json-document.ts';

function splice(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to);
}

/** The end of what stands before `offset`, white space left out. */
function endBefore(text: string, offset: number): number {
  return text.slice(0, offset).trimEnd().length;
}

const STARTS_WITH_LINE_END = /^[ \t]*\r?\n/;

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function indentOf(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** One step of indentation: what the first member of the outer object has. */
function unitOf(document: Document): string {
  const first = document.root?.members[0];
  const indent = first === undefined ? '' : indentOf(document.text, startOf(first));
  return indent === '' ? '  ' : indent;
}

function pretty(value: unknown, unit: string, indent: string, eol: string): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${indent}`);
}

/** Adds a member at the end of an object, in the object's own style. */
function addMember(document: Document, object: ObjectNode, key: string, value: unknown): string {
  const { text } = document;
  const [eol, unit] = [eolOf(text), unitOf(document)];
  const close = endOf(object) - 1;
  const last = object.members.at(-1);
  if (last !== undefined && !text.slice(startOf(object), close).includes('\n')) {
    const addition = `, ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return splice(text, endOf(last), endOf(last), addition);
  }
  const outer = indentOf(text, startOf(object));
  const inner = last === undefined ? outer + unit : indentOf(text, startOf(last));
  const hasComma = last !== undefined && commaAfter(document, endOf(last)) >= 0;
  const at = endBefore(text, close);
  const member = `${JSON.stringify(key)}: ${pretty(value, unit, inner, eol)}`;
  const tail = STARTS_WITH_LINE_END.test(text.slice(at, close)) ? '' : `${eol}${outer}`;
  const added = splice(text, at, at, `${eol}${inner}${member}${hasComma ? ',' : ''}${tail}`);
  return last === undefined || hasComma ? added : splice(added, endOf(last), endOf(last), ',');
}

/** Takes a member out, with its comma and the white space before it; comments stay. */
function removeMember(document: Document, object: ObjectNode, member: MemberNode): string {
  const { text } = document;
  const [start, end] = [startOf(member), endOf(member)];
  const comma = commaAfter(document, end);
  const rest = comma >= 0 ? text.slice(end, comma) + text.slice(comma + 1) : text.slice(end);
  const isFirst = object.members[0] === member;
  let from = endBefore(text, start);
  if (!STARTS_WITH_LINE_END.test(rest)) {
    if (isFirst && comma >= 0) return text.slice(0, start) + rest.trimStart();
    // What stands before may be a line comment, which must not swallow what follows.
    from += /^\r?\n/.exec(text.slice(from))?.[0].length ?? 0;
  }
  const kept = text.slice(0, from) + rest;
  if (comma >= 0) return kept;
  if (isFirst) return closeUp(kept, startOf(object) + 1);
  const previous = object.members[object.members.indexOf(member) - 1];
  const previousComma = previous === undefined ? -1 : commaAfter(document, endOf(previous));
  return splice(kept, previousComma, previousComma + 1, '');
}

/** `{\n}` becomes `{}` again when nothing is left between the braces. */
function closeUp(text: string, inside: number): string {
  const rest = text.slice(inside);
  return /^\s*\}/.test(rest) ? text.slice(0, inside) + rest.trimStart() : text;
}

function putMember(
  document: Document,
  object: ObjectNode | undefined,
  key: string,
  value: unknown,
): string {
  const { text } = document;
  const eol = eolOf(text);
  if (object === undefined) {
    const comments = text.trimEnd();
    const start = comments === '' ? '' : comments + eol;
    return `${start}${pretty({ [key]: value }, '  ', '', eol)}${eol}`;
  }
  const present = memberNamed(object, key)?.value;
  if (present === undefined) return addMember(document, object, key, value);
  if (isSameData(evaluate(present), value)) return text;
  const indent = indentOf(text, startOf(present));
  const written = pretty(value, unitOf(document), indent, eol);
  return splice(text, startOf(present), endOf(present), written);
}

/** Puts the whole entry in, with the table of servers where there is none. */
function putEntry(text: string, place: EntryPlace, fields: EntryFields): string {
  const document = readDocument(text);
  const servers = objectNamed(document.root, place.root);
  return servers === undefined
    ? putMember(document, document.root, place.root, { [place.name]: fields })
    : putMember(document, servers, place.name, fields);
}

function putField(text: string, place: EntryPlace, key: string, value: unknown): string {
  const document = readDocument(text);
  const entry = objectNamed(objectNamed(document.root, place.root), place.name);
  return putMember(document, entry, key, value);
}

/** The parser has the last word: the right data, and every comment that is not our entry's own. */
function checked(after: string, expected: unknown, wanted: readonly string[]): string {
  let isRight = false;
  try {
    const document = readDocument(after);
    const left = commentsIn(document);
    isRight =
      isSameData(document.data, expected) && wanted.every((comment) => left.includes(comment));
  } catch {
    isRight = false;
  }
  if (isRight) return after;
  throw new UneditableText('is built in a way that cannot be edited safely');
}

function merge(text: string, place: EntryPlace, fields: EntryFields): string {
  const document = readDocument(text);
  const expected = mergedData(document.data, place, fields);
  if (isSameData(document.data, expected)) return text;
  const entry = serversOf(document.data, place.root)?.[place.name];
  const isOurs = isOurEntry(entry);
  const merged = isOurs
    ? Object.entries(fields).reduce(
        (current, [key, value]) => putField(current, place, key, value),
        text,
      )
    : putEntry(text, place, fields);
  return checked(merged, expected, commentsIn(document));
}

/** Drops the table of servers when it is empty, unless somebody keeps comments in it. */
function withoutEmpty(text: string, root: string): string {
  const document = readDocument(text);
  const member = memberNamed(document.root, root);
  const servers = objectNamed(document.root, root);
  if (document.root === undefined || member === undefined || servers === undefined) return text;
  const hasComments = commentsIn(document, startOf(servers), endOf(servers)).length > 0;
  if (servers.members.length > 0 || hasComments) return text;
  return removeMember(document, document.root, member);
}

function remove(text: string, place: EntryPlace, isKept = false): string {
  const document = readDocument(text);
  const { data } = document;
  if (serversOf(data, place.root)?.[place.name] === undefined) return text;
  const servers = objectNamed(document.root, place.root);
  const entry = memberNamed(servers, place.name);
  if (servers === undefined || entry === undefined) {
    throw new UneditableText(`names ${place.root} twice`);
  }
  const emptied = removeMember(document, servers, entry);
  const removed = isKept ? emptied : withoutEmpty(emptied, place.root);
  const isTableKept = serversOf(readDocument(removed).data, place.root) !== undefined;
  return checked(removed, removedData(data, place, isTableKept), [
    ...commentsIn(document, 0, startOf(entry)),
    ...commentsIn(document, endOf(entry)),
  ]);
}

function has(text: string, { root, name }: EntryPlace): boolean {
  return serversOf(readDocument(text).data, root)?.[name] !== undefined;
}

export const jsonFormat: Format = {
  render: (place, fields) =>
    `${JSON.stringify({ [place.root]: { [place.name]: fields } }, null, 2)}\n`,
  has: (text, place) => {
    let found = false;
    editCondensed(text, place.root, (small) => {
      found = has(small, place);
      return small;
    });
    return found;
  },
  merge: (text, place, fields) =>
    editCondensed(text, place.root, (small) => merge(small, place, fields)),
  remove: (text, place, isKept) =>
    editCondensed(text, place.root, (small) => remove(small, place, isKept)),
  hasTable: (text, { root }) => {
    let found = false;
    editCondensed(text, root, (small) => {
      found = serversOf(readDocument(small).data, root) !== undefined;
      return small;
    });
    return found;
  },
};
