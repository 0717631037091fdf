/** What a person is told of an import: by name and line, never a value or a part of a line. Pure. */

import { win32 } from 'node:path';
import { maskValue } from '../base/keys/key-id.ts';
import type { LeftAlone } from './import-finding.ts';
import type { ImportPlan, PlannedKey } from './plan.ts';
import type { KeysReading } from './read-keys.ts';

const COLUMN = 'would add'.length;

/** `1–3, 7`: line numbers with runs written as such. */
export function lineRanges(lines: readonly number[]): string {
  const sorted = [...new Set(lines)].sort((a, b) => a - b);
  const runs: Array<[number, number]> = [];
  for (const line of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else runs.push([line, line]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}

function place(lines: readonly number[]): string {
  const ranges = lineRanges(lines);
  return /[–,]/.test(ranges) ? `lines ${ranges}` : `line ${ranges}`;
}

function keyRow(verb: string, key: PlannedKey): ReportRow {
  const why = key.reason === '' ? '' : `: ${key.reason}`;
  return row(verb, `${key.name} (${maskValue(key.value)}), line ${key.line}${why}`);
}

/** Equal reasons without a name stand in one row: an export of passwords has hundreds. */
function leftRows(items: readonly LeftAlone[]): ReportRow[] {
  const groups = new Map<string, { readonly head: string; readonly lines: number[] }>();
  for (const { name, reason, line, through } of items) {
    const group = groups.get(`${name ?? ''} ${reason}`) ?? { head: name ?? '', lines: [] };
    for (let at = line; at <= through; at++) group.lines.push(at);
    groups.set(`${name ?? ''} ${reason}`, group);
  }
  return [...groups].map(([key, { head, lines }]) => {
    const reason = key.slice(head.length + 1);
    const where = head === '' ? place(lines) : `${head}, ${place(lines)}`;
    return row('left', `${where}: ${reason}`);
  });
}

export interface ImportOutcome {
  readonly plan: ImportPlan;
  /** The likely ones that somebody agreed to. */
  readonly agreed: readonly PlannedKey[];
  readonly isDryRun: boolean;
}

export interface ReportRow {
  /** What happened, with the blanks that set it off; empty for the sum. */
  readonly verb: string;
  readonly text: string;
}

function row(verb: string, text: string): ReportRow {
  return { verb: `${verb.padEnd(COLUMN)}  `, text };
}

/** The three piles, row by row, and their sum. */
export function reportRows({ plan, agreed, isDryRun }: ImportOutcome): ReportRow[] {
  const verb = isDryRun ? 'would add' : 'added';
  const isAgreed = new Set(agreed);
  const asked = plan.likely.filter((key) => !isAgreed.has(key));
  const taken = plan.sure.length + agreed.length;
  const counts = [
    `${taken} ${isDryRun ? 'to add' : 'added'}`,
    ...(asked.length > 0 ? [`${asked.length} likely (not added)`] : []),
    `${plan.unchanged.length} unchanged`,
    `${plan.left.length} left alone`,
  ];
  return [
    ...plan.sure.map((key) => keyRow(verb, key)),
    ...agreed.map((key) => keyRow(verb, key)),
    ...asked.map((key) => keyRow('likely', key)),
    ...plan.unchanged.map(({ name, line }) => row('unchanged', `${name}, line ${line}`)),
    ...leftRows(plan.left),
    { verb: '', text: counts.join(', ') },
  ];
}

/** What a shell reads at its start stays, even where it holds nothing but keys today. */
const SHELL_FILE = /^(?:\.?\w{0,40}(?:rc|profile|shenv|login)|config\.fish|.{0,40}profile\.ps1)$/i;

/** What to do with the file: delete it only where it held nothing but keys. */
export function advice(path: string, reading: KeysReading, outcome: ImportOutcome): string {
  const { plan, agreed } = outcome;
  const lines = [...plan.sure, ...agreed, ...plan.unchanged].map(({ line }) => line);
  if (lines.length === 0) return '';
  const isWhole =
    reading.holdsOnlyKeys &&
    agreed.length === plan.likely.length &&
    !SHELL_FILE.test(win32.basename(path));
  return isWhole && plan.left.length === 0
    ? `${path} still holds the keys in clear: delete it, and empty the trash.`
    : `${path} still holds the keys in clear: take ${place(lines)} out of it, and keep the rest.`;
}
