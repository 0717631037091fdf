/**
 * Fences in a line of Markdown, as in CommonMark 0.31 section 4.5, and what models do beyond it:
 * fences behind list markers, at the end of a line of prose, right behind the last brace. Every
 * look at a line takes time in proportion to its length, whatever it holds.
 */

import { withoutTokens } from './special-tokens.ts';

export interface Fence {
  /** Index of its line. */
  readonly line: number;
  /** Characters in front of it that are blank, or a list marker. */
  readonly indent: number;
  readonly mark: string;
  readonly length: number;
  /** What follows it on its line, trimmed; a bare fence has nothing. */
  readonly info: string;
  /** A blank stands between the two: mostly prose behind a fence that closes. */
  readonly isApart: boolean;
  /** What precedes it: empty where it stands at the beginning of its line, as it should. */
  readonly before: string;
}

const LEAST = 3;
/** A list marker in the place of indentation. */
const MARKER = /^(?:[-*+]|\d{1,3}[.)])[ \t]/;

function blanksAt(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at - from;
}

/** How often the character at `from` follows upon itself, itself included. */
function runAt(text: string, from: number): number {
  const mark = text[from];
  let at = from;
  while (at < text.length && text[at] === mark) at++;
  return at - from;
}

/** Where the text of a line begins, behind blanks and a list marker. */
function startOf(text: string): number {
  const blanks = blanksAt(text, 0);
  const marker = MARKER.exec(text.slice(blanks, blanks + 6))?.[0] ?? '';
  return blanks + marker.length + blanksAt(text, blanks + marker.length);
}

/** Every run of three or more backticks in a line. */
function runsIn(text: string): Array<{ readonly at: number; readonly length: number }> {
  const runs = [];
  for (let at = text.indexOf('```'); at !== -1; at = text.indexOf('```', at)) {
    const length = runAt(text, at);
    runs.push({ at, length });
    at += length;
  }
  return runs;
}

function fenceAtStart(text: string, line: number): Fence | null {
  const indent = startOf(text);
  const mark = text[indent];
  if (mark !== '`' && mark !== '~') return null;
  const length = runAt(text, indent);
  const info = text.slice(indent + length).trim();
  // Backticks behind backticks are a code span.
  if (length < LEAST || (mark === '`' && info.includes('`'))) return null;
  const isApart = blanksAt(text, indent + length) > 0;
  return { line, indent, mark, length, info, isApart, before: '' };
}

function fenceAfterText(text: string, line: number): Fence | null {
  const [run] = runsIn(text);
  if (run === undefined) return null;
  const before = text.slice(0, run.at);
  const info = text.slice(run.at + run.length).trim();
  if (info.includes('`')) return null;
  const isApart = blanksAt(text, run.at + run.length) > 0;
  return { line, indent: blanksAt(text, 0), mark: '`', length: run.length, info, isApart, before };
}

/** The fence in a line, if there is one. */
export function fenceIn(raw: string, line: number): Fence | null {
  if (!raw.includes('```') && !raw.includes('~~~')) return null;
  const text = withoutTokens(raw);
  return fenceAtStart(text, line) ?? fenceAfterText(text, line);
}

/** A line that is a block by itself: ```print(1)```. Null when it is not. */
export function blockInLine(raw: string): string | null {
  if (!raw.trimStart().startsWith('```')) return null;
  const text = withoutTokens(raw).trim();
  const [first, last] = runsIn(text);
  if (first === undefined || last === undefined) return null;
  const isWhole = last.at + last.length === text.length;
  if (!isWhole || first.length !== last.length) return null;
  const code = text.slice(first.length, last.at).trim();
  return code === '' || code.includes('`') ? null : code;
}

/** The code of every ```span``` within a line of prose. */
export function spansIn(line: string): string[] {
  const runs = runsIn(line);
  const spans = [];
  for (let at = 0; at + 1 < runs.length; at += 2) {
    const [open, close] = [runs[at], runs[at + 1]];
    if (open === undefined || close === undefined) break;
    const code = line.slice(open.at + open.length, close.at).trim();
    if (code !== '') spans.push(code);
  }
  return spans;
}

/** More indented than a fence may be that closes `open`: it is part of the code. */
export function isDeeper(fence: Fence, open: Fence): boolean {
  return fence.indent > open.indent + 3;
}

export function withoutIndent(line: string, indent: number): string {
  return line.slice(Math.min(indent, blanksAt(line, 0)));
}
