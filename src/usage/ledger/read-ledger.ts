/** Reads the ledger back: whole lines only, what is none is counted and skipped. */

import { createReadStream } from 'node:fs';
import { type Entry, parseLine } from './entry.ts';
import { LineSplitter } from './line-splitter.ts';
import { type Book, monthFile, monthOf, monthsOf } from './month-files.ts';

/** Epoch milliseconds; `until` is not part of it. */
export interface Span {
  readonly since: number;
  readonly until: number;
}

/** Lines of the months that a span touches, in the order in which they were written. */
export async function* linesOf(folder: string, book: Book, span: Span): AsyncGenerator<string> {
  const [first, last] = [monthOf(Math.max(0, span.since)), monthOf(span.until)];
  for (const month of await monthsOf(folder, book)) {
    if (month < first || month > last) continue;
    const splitter = new LineSplitter();
    for await (const chunk of createReadStream(monthFile(folder, book, month))) {
      yield* splitter.push(Buffer.from(chunk));
    }
    const rest = splitter.rest();
    if (rest !== '') yield rest;
  }
}

export interface LedgerCount {
  /** Lines of which a part or all was unreadable. */
  unreadable: number;
}

/**
 * Entries that ended within the span.
 *
 * @param count is added to as reading goes on
 */
export async function* readLedger(
  folder: string,
  span: Span,
  count: LedgerCount = { unreadable: 0 },
): AsyncGenerator<Entry> {
  for await (const line of linesOf(folder, 'ledger', span)) {
    const { entries, hasRest } = parseLine(line);
    if (hasRest) count.unreadable += 1;
    for (const entry of entries) {
      if (entry.endedAt >= span.since && entry.endedAt < span.until) yield entry;
    }
  }
}
