/** Rows of text in columns, for people. */

import { terminalColumns, wrap } from './wrap.ts';

const GAP = 2;

/** Width that is left for the last column; names and values before it are never broken. */
function lastWidth(widths: readonly number[], columns: number): number {
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, 0);
  return Math.max(24, columns - before);
}

/**
 * @param columns of the terminal; the text of the last column goes on below itself
 */
export function table(
  header: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  columns: number = terminalColumns(),
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  const last = lastWidth(widths, columns);
  const line = (row: readonly string[]): string[] => {
    const before = row.slice(0, -1).map((cell, column) => cell.padEnd((widths[column] ?? 0) + GAP));
    const start = before.join('');
    return wrap(row.at(-1) ?? '', last).map((part, at) =>
      `${at === 0 ? start : ' '.repeat(start.length)}${part}`.trimEnd(),
    );
  };
  return all.flatMap(line).join('\n');
}
