/** JSON, JSON with comments, and JSON lines → a tree. */

import { type AnyNode, parse, type ValueNode } from '@humanwhocodes/momoa';
import { type ListNode, OTHER, type TreeNode, textAt } from './tree.ts';

function lineOf(node: AnyNode, offset: number): number {
  return node.loc.start.line + offset;
}

function treeOf(node: ValueNode, offset: number): TreeNode {
  if (node.type === 'String') return textAt(node.value, lineOf(node, offset));
  if (node.type === 'Array') {
    return { kind: 'list', items: node.elements.map(({ value }) => treeOf(value, offset)) };
  }
  if (node.type !== 'Object') return OTHER;
  const members = node.members.map(({ name, value }) => ({
    key: name.type === 'String' ? name.value : name.name,
    node: treeOf(value, offset),
  }));
  return { kind: 'map', line: lineOf(node, offset), members };
}

/** A name that stands twice is kept twice. */
function parseText(text: string, offset: number): TreeNode | null {
  try {
    const { body } = parse(text, { mode: 'jsonc', allowTrailingCommas: true });
    return body.type === 'Object' || body.type === 'Array' ? treeOf(body, offset) : null;
  } catch {
    return null;
  }
}

export function parseJsonTree(text: string): TreeNode | null {
  return parseText(text, 0);
}

/** @returns null unless every line is an object of its own */
export function parseJsonLines(lines: readonly string[]): ListNode | null {
  const items: TreeNode[] = [];
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const item = line.trimStart().startsWith('{') ? parseText(line, at) : null;
    if (item === null) return null;
    items.push(item);
  }
  return items.length > 1 ? { kind: 'list', items } : null;
}
