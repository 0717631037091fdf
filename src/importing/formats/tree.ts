/** What every structured format is read into: maps, lists and texts, with their lines. Plain data. */

import { isRecord } from '../../base/text/json.ts';

export interface TextNode {
  readonly kind: 'text';
  readonly value: string;
  readonly line: number;
  /** The line on which a text of several lines has its first: a block of YAML begins below its name. */
  readonly firstLine: number;
  readonly spansLines: boolean;
}

export interface MapNode {
  readonly kind: 'map';
  readonly line: number;
  /** Of a table that a person keeps, whatever its columns are called. */
  readonly isRow?: boolean;
  readonly members: ReadonlyArray<{ readonly key: string; readonly node: TreeNode }>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
}

/** Numbers, booleans, null: no keys. */
export interface OtherNode {
  readonly kind: 'other';
}

export type TreeNode = TextNode | MapNode | ListNode | OtherNode;

export const OTHER: OtherNode = { kind: 'other' };

export function textAt(value: string, line: number): TextNode {
  return { kind: 'text', value, line, firstLine: line, spansLines: false };
}

/** What is nested deeper was written to hurt a reader. */
const DEEPEST = 200;

/** What JSON.parse made of a text that stands on one line. */
export function treeOfJson(value: unknown, line: number, depth = 0): TreeNode {
  if (typeof value === 'string') return textAt(value, line);
  if (depth > DEEPEST) return OTHER;
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item) => treeOfJson(item, line, depth + 1)) };
  }
  if (!isRecord(value)) return OTHER;
  const members = Object.entries(value).map(([key, item]) => ({
    key,
    node: treeOfJson(item, line, depth + 1),
  }));
  return { kind: 'map', line, members };
}

/** The text of the first member with one of these names, in lower case without `_` and `-`. */
export function leafText(map: MapNode, names: ReadonlySet<string>): TextNode | null {
  for (const { key, node } of map.members) {
    if (node.kind === 'text' && node.value !== '' && names.has(plainKey(key))) return node;
  }
  return null;
}

/** `api_key`, `api-key`, `apiKey`, `API Key` → apikey. */
export function plainKey(key: string): string {
  return key.toLowerCase().replace(/[_\s-]/g, '');
}
