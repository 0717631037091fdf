/** What both file formats can do, as pure functions on text. */

import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../base/text/json.ts';
import type { EntryFields } from './client.ts';

/** Where our entry stands. */
export interface EntryPlace {
  readonly root: string;
  readonly name: string;
  /** A member of the root that only another version of the client has. */
  readonly otherVersion?: string;
}

export interface Format {
  /** The entry as a whole file of its own, to be shown or pasted. */
  render(place: EntryPlace, fields: EntryFields): string;
  /** @throws UneditableText when `text` cannot be read */
  has(text: string, place: EntryPlace): boolean;
  /**
   * `text` with the entry in it and everything else untouched; the same string when nothing is to
   * be done. Fields that somebody added to our entry (an env, a time limit) stay.
   *
   * @throws UneditableText when `text` is malformed or cannot be edited without risk
   */
  merge(text: string, place: EntryPlace, fields: EntryFields): string;
  /**
   * `text` without the entry; the same string when it is not there.
   *
   * @param isTableKept an emptied table of servers stays
   */
  remove(text: string, place: EntryPlace, isTableKept?: boolean): string;
  /** Whether there is a table of servers, empty or not. */
  hasTable(text: string, place: EntryPlace): boolean;
}

/** The file stays as it is. `message` continues the sentence "FILE …". */
export class UneditableText extends Error {
  override readonly name = 'UneditableText';
}

type Members = Readonly<Record<string, unknown>>;

function without(members: Members, key: string): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
}

/** The servers of a parsed file; undefined when it has none yet. */
export function serversOf(data: Members, root: string): Members | undefined {
  const servers = data[root];
  if (servers === undefined) return undefined;
  if (!isRecord(servers)) throw new UneditableText(`has a ${root} that is not a table of servers`);
  return servers;
}

/** An entry that starts something; a foreign kind of entry is replaced. */
export function isOurEntry(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && ('command' in value || 'cmd' in value);
}

/** What the data has to be after a merge. Our fields win; a foreign kind of entry is replaced. */
export function mergedData(data: Members, place: EntryPlace, fields: EntryFields): Members {
  const servers = serversOf(data, place.root) ?? {};
  if (place.otherVersion !== undefined && isRecord(servers[place.otherVersion])) {
    throw new UneditableText('is of another version of the client, with entries of another form');
  }
  const before = servers[place.name];
  const kept = isOurEntry(before) ? before : {};
  return { ...data, [place.root]: { ...servers, [place.name]: { ...kept, ...fields } } };
}

/** What the data has to be after a removal, without the table of servers when that was emptied. */
export function removedData(data: Members, place: EntryPlace, isTableKept: boolean): Members {
  const rest = without(serversOf(data, place.root) ?? {}, place.name);
  const isGone = Object.keys(rest).length === 0 && !isTableKept;
  return isGone ? without(data, place.root) : { ...data, [place.root]: rest };
}

/** Parsers differ in prototypes, which are nobody's data. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

export function isSameData(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}
