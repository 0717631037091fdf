/** Lines of a file, one at a time: memory is bounded by the longest line, not by the file. */

import { createReadStream } from 'node:fs';
import { DiskError } from '../base/errors.ts';
import { LineSplitter } from '../base/text/line-splitter.ts';

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line end. */
  readonly bytes: Buffer;
  /** False for a last line that the file ends in the middle of. */
  readonly isEnded: boolean;
}

/**
 * Splits at line feeds only; readline would also split at U+2028, which JSON strings may hold.
 *
 * @param path a file that is known to be a regular one
 * @throws DiskError too_large for a line of more than `maxBytes`
 */
export async function* readLines(path: string, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let lines: Line[] = [];
  const splitter = new LineSplitter(
    {
      line: (bytes, isEnded) => lines.push({ number: number++, bytes, isEnded }),
      blank: () => lines.push({ number: number++, bytes: Buffer.alloc(0), isEnded: true }),
      oversize: () => {
        throw new DiskError(
          'too_large',
          `line ${number} of ${path} is longer than ${maxBytes / 1024 / 1024} MiB`,
          {
            hint: 'give a file of JSON lines',
          },
        );
      },
    },
    maxBytes,
  );
  for await (const chunk of createReadStream(path)) {
    const block: Buffer = chunk;
    splitter.push(block);
    yield* lines;
    lines = [];
  }
  splitter.end();
  yield* lines;
}
