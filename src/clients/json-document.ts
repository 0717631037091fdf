/** JSON as editors write it, read with the place of everything: comments, commas, members. */

import {
  evaluate,
  type MemberNode,
  type ObjectNode,
  parse,
  type Token,
  tokenize,
} from '@humanwhocodes/momoa';
import { isRecord } from '../base/text/json.ts';
import { UneditableText } from './file-format.ts';

export interface Document {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The outer object; undefined for a file that holds white space and comments only. */
  readonly root: ObjectNode | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Placed {
  readonly loc: {
    readonly start: { readonly offset: number };
    readonly end: { readonly offset: number };
  };
}

export const startOf = (node: Placed): number => node.loc.start.offset;
export const endOf = (node: Placed): number => node.loc.end.offset;

function isComment(token: Token): boolean {
  return token.type === 'LineComment' || token.type === 'BlockComment';
}

/** The parser's message quotes the file, which may hold keys: the place is told, no more. */
function malformed(error: unknown): UneditableText {
  const has = (key: 'line' | 'column'): unknown =>
    error instanceof Error && key in error ? Reflect.get(error, key) : undefined;
  const [line, column] = [has('line'), has('column')];
  const isPlaced = typeof line === 'number' && typeof column === 'number';
  return new UneditableText(
    `is not valid JSON${isPlaced ? ` (line ${line}, column ${column})` : ''}`,
  );
}

/** @throws UneditableText when it is no JSON, or no object */
export function readDocument(text: string): Document {
  try {
    const tokens = tokenize(text, { mode: 'jsonc' });
    if (tokens.every(isComment)) return { text, tokens, root: undefined, data: {} };
    const { body } = parse(text, { mode: 'jsonc', allowTrailingCommas: true });
    const data: unknown = evaluate(body);
    if (body.type !== 'Object' || !isRecord(data)) {
      throw new UneditableText('does not hold a JSON object');
    }
    return { text, tokens, root: body, data };
  } catch (error) {
    throw error instanceof UneditableText ? error : malformed(error);
  }
}

export function memberNamed(object: ObjectNode | undefined, key: string): MemberNode | undefined {
  return object?.members.find(({ name }) => name.type === 'String' && name.value === key);
}

export function objectNamed(object: ObjectNode | undefined, key: string): ObjectNode | undefined {
  const value = memberNamed(object, key)?.value;
  return value?.type === 'Object' ? value : undefined;
}

/** Offset of the comma that follows, comments skipped; -1 when there is none. */
export function commaAfter(document: Document, offset: number): number {
  const next = document.tokens.find((token) => startOf(token) >= offset && !isComment(token));
  return next?.type === 'Comma' ? startOf(next) : -1;
}

/** The comments from one offset to another, as written. */
export function commentsIn(document: Document, from = 0, to = Number.POSITIVE_INFINITY): string[] {
  return document.tokens
    .filter((token) => isComment(token) && startOf(token) >= from && startOf(token) < to)
    .map((token) => document.text.slice(startOf(token), endOf(token)));
}
