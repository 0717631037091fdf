/** TOML → a tree. The parser gives no places, so a value's line is where its text stands. */

import { parse, type TomlValue } from 'smol-toml';
import { OTHER, type TreeNode, textAt } from './tree.ts';

type LineFinder = (value: string) => number;

/** Each text is looked for from where the last one like it was found. */
function lineFinder(lines: readonly string[]): LineFinder {
  const seen = new Map<string, number>();
  return (value) => {
    const piece = value.split(/[\n"\\]/)[0] ?? '';
    const from = seen.get(piece) ?? 0;
    const at = lines.findIndex((line, index) => index >= from && line.includes(piece));
    if (at !== -1) seen.set(piece, at + 1);
    return Math.max(at, 0) + 1;
  };
}

function treeOf(value: TomlValue | undefined, find: LineFinder): TreeNode {
  if (typeof value === 'string') return textAt(value, find(value));
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => treeOf(item, find)) };
  if (typeof value !== 'object' || value instanceof Date) return OTHER;
  const members = Object.entries(value).map(([key, item]) => ({ key, node: treeOf(item, find) }));
  return { kind: 'map', line: 1, members };
}

export function parseToml(text: string, lines: readonly string[]): TreeNode | null {
  try {
    return treeOf(parse(text), lineFinder(lines));
  } catch {
    return null;
  }
}
