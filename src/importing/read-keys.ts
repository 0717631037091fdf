/**
 * A text of somebody's → what in it is surely a key, what is likely one, and what is left alone.
 * The format is told by the content; each has a parser of its own, loaded when it is needed.
 */

import { readSurroundings } from './clues/surroundings.ts';
import { isInAddress, kindOf, secretTokens } from './clues/tokens.ts';
import type { TreeNode } from './formats/tree.ts';
import { type ImportFinding, left } from './import-finding.ts';
import { NotesReader } from './notes.ts';
import { StructuredReader } from './structured.ts';

/** Where a line of the input ends up. */
export type Pile = 'sure' | 'likely' | 'left' | 'nothing';

export interface KeysReading {
  /** By line. */
  readonly findings: readonly ImportFinding[];
  /** The pile of each line, in order: exactly one. */
  readonly lines: readonly Pile[];
  /** Nothing but keys and what labels them: nobody else reads this file. */
  readonly holdsOnlyKeys: boolean;
}

/** Settings that people write are shorter; their parsers take seconds for a megabyte of malice. */
const LONGEST_SETTINGS = 256 * 1024;
const MOST_IN_A_LINE = 200;

async function parseTree(text: string, lines: readonly string[]): Promise<TreeNode | null> {
  if (text.trimStart().startsWith('<')) {
    const { isKeePass, parseKeePass } = await import('./formats/parse-keepass.ts');
    return isKeePass(text) ? parseKeePass(text) : null;
  }
  if (/^\s*(?:\/\/|\/\*|[[{])/.test(text)) {
    const { parseJsonTree, parseJsonLines } = await import('./formats/parse-json.ts');
    const tree = parseJsonTree(text) ?? parseJsonLines(lines);
    if (tree !== null) return tree;
  }
  if (/^[^\n]*[,;\t]/.test(text)) {
    const table = (await import('./formats/parse-csv.ts')).parseCsv(text);
    if (table !== null) return table;
  }
  if (text.length > LONGEST_SETTINGS) return null;
  if (/^[ \t]*\[{1,2}[^\][\n]{1,200}\]{1,2}[ \t]*(?:#.*)?$/m.test(text)) {
    const tree = (await import('./formats/parse-toml.ts')).parseToml(text, lines);
    if (tree !== null) return tree;
  }
  if (/^[ \t]*(?:- )?[A-Za-z_$][\w.$/-]{0,100}:(?:\s|$)/m.test(text)) {
    return (await import('./formats/parse-yaml.ts')).parseYaml(text);
  }
  return null;
}

/** What the findings say of each line. */
interface Known {
  readonly isLeft: ReadonlySet<number>;
  readonly byLine: ReadonlyMap<number, readonly string[]>;
  readonly values: ReadonlySet<string>;
}

function knownOf(findings: readonly ImportFinding[]): Known {
  const isLeft = new Set<number>();
  const byLine = new Map<number, string[]>();
  const values = new Set<string>();
  for (const finding of findings) {
    if (finding.pile === 'left') {
      for (let line = finding.line; line <= finding.through; line++) isLeft.add(line);
      continue;
    }
    values.add(finding.value);
    const here = byLine.get(finding.line);
    if (here === undefined) byLine.set(finding.line, [finding.value]);
    else here.push(finding.value);
  }
  return { isLeft, byLine, values };
}

/** Whether a piece of a line is a key that was found, a part of one, or one that was encoded. */
function isFound(piece: string, here: readonly string[], values: ReadonlySet<string>): boolean {
  if (values.has(piece)) return true;
  const decoded = here.length === 0 ? '' : Buffer.from(piece, 'base64').toString('utf8');
  return here.some(
    (value) => value.includes(piece) || piece.includes(value) || decoded.includes(value),
  );
}

/** Lines that look as if they held a secret that no finding speaks of. */
function overlooked(lines: readonly string[], findings: readonly ImportFinding[]): ImportFinding[] {
  const { isLeft, byLine, values } = knownOf(findings);
  return lines.flatMap((text, at) => {
    const line = at + 1;
    if (isLeft.has(line)) return [];
    const here = byLine.get(line) ?? [];
    // A file of ten thousand keys in one line is nobody's; what is looked at stays in proportion.
    const near = here.length > MOST_IN_A_LINE ? [] : here;
    const token = secretTokens(text).find(({ value }) => !isFound(value, near, values));
    if (token === undefined) return [];
    const reason = isInAddress(text, token.start)
      ? 'what looks like a key, inside an address'
      : `${kindOf(token.value)}, and nothing that says what it is for`;
    return [left(line, reason)];
  });
}

function pilesOf(count: number, findings: readonly ImportFinding[]): Pile[] {
  const rank: Readonly<Record<Pile, number>> = { nothing: 0, sure: 1, likely: 2, left: 3 };
  const piles: Pile[] = Array.from({ length: count }, () => 'nothing');
  for (const finding of findings) {
    const through = finding.pile === 'left' ? finding.through : finding.line;
    for (let at = finding.line - 1; at < through && at < count; at++) {
      if (rank[finding.pile] > rank[piles[at] ?? 'nothing']) piles[at] = finding.pile;
    }
  }
  return piles;
}

/** A line that only labels keys, or separates them. */
function isAround(line: string): boolean {
  return line.trim() === '' || (line.length <= 60 && !/[=<>$]|:\s*\S/.test(line));
}

/** Whether every text of the tree is a key that was found: then nobody else's settings are in it. */
function holdsOnly(node: TreeNode, values: ReadonlySet<string>): boolean {
  if (node.kind === 'text') return values.has(node.value);
  if (node.kind === 'list') return node.items.every((item) => holdsOnly(item, values));
  return node.kind === 'map' && node.members.every((member) => holdsOnly(member.node, values));
}

/**
 * @param text decoded, without a mark of its encoding
 */
export async function readKeys(text: string): Promise<KeysReading> {
  const lines = text.split(/\r\n|\r|\n/);
  const around = readSurroundings(text);
  const tree = await parseTree(text, lines);
  const read =
    tree === null ? new NotesReader(lines, around).read() : new StructuredReader(around).read(tree);
  const findings = [...read, ...overlooked(lines, read)].sort((a, b) => a.line - b.line);
  const piles = pilesOf(lines.length, findings);
  const isKey = (at: number): boolean => piles[at] === 'sure' || piles[at] === 'likely';
  const holdsOnlyKeys =
    tree === null
      ? lines.every((line, at) => isKey(at) || (piles[at] === 'nothing' && isAround(line)))
      : holdsOnly(tree, new Set(findings.flatMap((each) => ('value' in each ? each.value : []))));
  return { findings, lines: piles, holdsOnlyKeys };
}
