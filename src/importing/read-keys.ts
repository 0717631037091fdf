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

/** Lines that look as if they held a secret that no finding speaks of. */
function overlooked(lines: readonly string[], findings: readonly ImportFinding[]): ImportFinding[] {
  const isLeft = new Set<number>();
  const known = new Map<number, string[]>();
  for (const finding of findings) {
    if (finding.pile === 'left') {
      for (let line = finding.line; line <= finding.through; line++) isLeft.add(line);
    } else known.set(finding.line, [...(known.get(finding.line) ?? []), finding.value]);
  }
  const values = findings.flatMap((finding) => (finding.pile === 'left' ? [] : [finding.value]));
  const isDecodedIn = (value: string): boolean => {
    const text = Buffer.from(value, 'base64').toString('utf8');
    return values.some((each) => text.includes(each));
  };
  return lines.flatMap((text, at) => {
    const line = at + 1;
    if (isLeft.has(line)) return [];
    const token = secretTokens(text).find(
      ({ value }) =>
        !values.some((each) => each.includes(value) || value.includes(each)) && !isDecodedIn(value),
    );
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
