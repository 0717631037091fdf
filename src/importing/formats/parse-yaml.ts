/** YAML → a tree, where it is surely YAML and not a note with colons in it. */

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { OTHER, type TreeNode } from './tree.ts';

/** `.env` is a file's name in a Secret, `<<` takes in what an anchor holds. */
const IDENTIFIER = /^(?:<<|[A-Za-z_$.][\w.$/-]*)$/;

class Reader {
  readonly #lines: LineCounter;
  hasPlainKeys = true;
  depth = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  #lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  #text(node: Scalar, value: string): TreeNode {
    const line = this.#lineOf(node);
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    const firstLine = isBlock ? line + 1 : line;
    return { kind: 'text', value, line, firstLine, spansLines: isBlock };
  }

  treeOf(node: unknown, depth: number): TreeNode {
    this.depth = Math.max(this.depth, depth);
    if (isScalar(node)) {
      return typeof node.value === 'string' ? this.#text(node, node.value) : OTHER;
    }
    if (isSeq(node)) {
      return { kind: 'list', items: node.items.map((item) => this.treeOf(item, depth + 1)) };
    }
    if (!isMap(node)) return OTHER;
    const members = node.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : '';
      if (!IDENTIFIER.test(name)) this.hasPlainKeys = false;
      // What an alias stands for is read where it is written.
      return isAlias(value) ? [] : [{ key: name, node: this.treeOf(value, depth + 1) }];
    });
    return { kind: 'map', line: this.#lineOf(node), members };
  }
}

/** @returns null for what does not parse, is flat, or has names with spaces: those are notes */
export function parseYaml(text: string): TreeNode | null {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, uniqueKeys: false, logLevel: 'silent' });
  if (!Array.isArray(documents) || documents.some((each) => each.errors.length > 0)) return null;
  const reader = new Reader(lineCounter);
  const items = documents.map(({ contents }) => reader.treeOf(contents, 0));
  const isTree = items.every(
    (item) => item.kind === 'map' || item.kind === 'list' || item.kind === 'other',
  );
  return isTree && reader.hasPlainKeys && reader.depth > 1 ? { kind: 'list', items } : null;
}
