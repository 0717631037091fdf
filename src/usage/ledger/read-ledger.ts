/** Reads the ledger back: whole lines only, what is none is counted and skipped. */

import { createReadStream } from 'node:fs';
import { LineSplitter } from '../../base/text/line-splitter.ts';
import { openFileSync } from '../../disk/read-file.ts';
import { type LedgerEntry, parseLine } from './entry.ts';
import { type Book, monthFile, monthOf, monthsOf } from './month-files.ts';

/** Epoch milliseconds; `until` is not part of it. */
export interface DaySpan {
  readonly since: number;
  readonly until: number;
}

const MAX_LINE_BYTES = 64 * 1024;
/** Stands for a line that is too long to be kept: nobody takes it for one of ours. */
const OVERSIZE = '(too long)';

/** Bytes → lines of text; what has no end yet stays. */
export class LineReader {
  #lines: string[] = [];
  readonly #splitter = new LineSplitter(
    {
      line: (bytes) => this.#lines.push(bytes.toString('utf8')),
      oversize: () => this.#lines.push(OVERSIZE),
    },
    MAX_LINE_BYTES,
  );

  /** The lines that end in this chunk. */
  push(chunk: Buffer): string[] {
    // The chunk's memory is the reader's to use again.
    this.#splitter.push(Buffer.from(chunk));
    return this.#lines.splice(0);
  }

  /** What stands behind the last line's end. */
  end(): string[] {
    this.#splitter.end();
    return this.#lines.splice(0);
  }
}

/** Lines of the months that a span touches, in the order in which they were written. */
export async function* linesOf(folder: string, book: Book, span: DaySpan): AsyncGenerator<string> {
  const [first, last] = [monthOf(Math.max(0, span.since)), monthOf(span.until)];
  for (const month of await monthsOf(folder, book)) {
    if (month < first || month > last) continue;
    const reader = new LineReader();
    const path = monthFile(folder, book, month);
    for await (const chunk of createReadStream(path, { fd: openFileSync(path) })) {
      yield* reader.push(chunk);
    }
    yield* reader.end();
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
  span: DaySpan,
  count: LedgerCount = { unreadable: 0 },
): AsyncGenerator<LedgerEntry> {
  for await (const line of linesOf(folder, 'ledger', span)) {
    const { entries, hasRest } = parseLine(line);
    if (hasRest) count.unreadable += 1;
    for (const entry of entries) {
      if (entry.endedAt >= span.since && entry.endedAt < span.until) yield entry;
    }
  }
}
