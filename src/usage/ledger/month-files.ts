/** A file a month, named by the month of UTC in which a line's attempt ended. */

import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../base/system/system-error.ts';

export type Book = 'ledger' | 'balances';

const KEPT_MONTHS = 13;

/** `2026-11`. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

export function monthFile(folder: string, book: Book, month: string): string {
  return join(folder, `${book}-${month}.jsonl`);
}

function monthNumber(month: string): number {
  const [year, number] = month.split('-').map(Number);
  return (year ?? 0) * 12 + (number ?? 0);
}

const NAME = /^(ledger|balances)-(\d{4}-(?:0[1-9]|1[0-2]))\.jsonl$/;

/** The months that have a file, oldest first; none where there is no folder. */
export async function monthsOf(folder: string, book: Book): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  });
  return names
    .map((name) => NAME.exec(name))
    .flatMap((found) => (found?.[1] === book && found[2] !== undefined ? [found[2]] : []))
    .sort();
}

/** Removes what is older than thirteen months. Nothing else of the folder is touched. */
export async function removeOldMonths(folder: string, now: number): Promise<void> {
  const oldest = monthNumber(monthOf(now)) - KEPT_MONTHS;
  for (const book of ['ledger', 'balances'] as const) {
    for (const month of await monthsOf(folder, book)) {
      if (monthNumber(month) < oldest) await unlink(monthFile(folder, book, month)).catch(() => {});
    }
  }
}
