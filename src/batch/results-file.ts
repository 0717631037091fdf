/**
 * The file of results: one line a task, in the order of completion. A line that holds a result is
 * done for good; one that holds an error, and a last line torn by a crash, are done again.
 */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { CommandError, DiskError } from '../base/errors.ts';
import { redactMessage } from '../base/redaction/structure.ts';
import type { FileLock } from '../disk/file-lock.ts';
import type { Line } from '../disk/lines.ts';
import { replaceFile, sweepOrphans } from '../disk/replace-file.ts';
import { idOf, lineObject, lineText, readTaskLines } from './task-lines.ts';

export interface Earlier {
  /** Ids with a result, as text. */
  readonly done: ReadonlySet<string>;
  /** Lines with an error, to be tried again. */
  readonly failed: number;
  /** True when the last line was torn. */
  readonly isTorn: boolean;
}

interface Reading extends Earlier {
  /** False when every line may stay as it is. */
  readonly needsRewrite: boolean;
}

type Verdict = 'done' | 'failed' | 'blank' | 'foreign';

function judge(line: Line): { readonly verdict: Verdict; readonly key: string } {
  if (lineText(line) === '') return { verdict: 'blank', key: '' };
  const object = lineObject(line);
  const id = object === null ? null : idOf(object);
  if (object === null || id === null) return { verdict: 'foreign', key: '' };
  const hasFailed = 'error' in object && object.error !== null;
  return { verdict: hasFailed ? 'failed' : 'done', key: String(id) };
}

/** Only the last line can be torn; anything else that is no result was not written by us. */
async function readResults(path: string): Promise<Reading> {
  const done = new Set<string>();
  let failed = 0;
  let foreign: number | null = null;
  let isEnded = true;
  for await (const line of readTaskLines(path)) {
    if (foreign !== null) {
      throw new CommandError(`line ${foreign} of ${path} is no result of a batch`, {
        hint: 'give the file that an earlier run wrote, or a new one, with --out',
      });
    }
    const { verdict, key } = judge(line);
    if (verdict === 'foreign') foreign = line.number;
    if (verdict === 'failed') failed++;
    if (verdict === 'done') done.add(key);
    isEnded = line.isEnded;
  }
  const isTorn = foreign !== null;
  return { done, failed, isTorn, needsRewrite: isTorn || failed > 0 || !isEnded };
}

async function* keptLines(path: string): AsyncGenerator<Buffer> {
  for await (const line of readTaskLines(path)) {
    if (judge(line).verdict === 'done') yield Buffer.concat([line.bytes, Buffer.from('\n')]);
  }
}

export function unwritable(path: string, cause: unknown): CommandError | DiskError {
  // What the disk said in words of ours stays as it is.
  if (cause instanceof DiskError && cause.code !== 'write_failed') return cause;
  return new CommandError(`cannot write ${path}`, {
    cause,
    hint: 'check the disk and the folder; what was finished is kept, and the same command goes on from there',
  });
}

export interface ResultsOptions {
  /** Of the file: two runs on one file would pay for every task twice. */
  readonly lock: FileLock;
  /** Takes secrets out of whatever is written; an id stays as its task has it. */
  readonly redact: (text: string) => string;
}

/** Appends whole lines, one after the other. */
export class ResultsFile {
  readonly path: string;
  readonly earlier: Earlier;
  readonly #file: FileHandle;
  readonly #options: ResultsOptions;
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, earlier: Earlier, file: FileHandle, options: ResultsOptions) {
    this.path = path;
    this.earlier = earlier;
    this.#file = file;
    this.#options = options;
  }

  /**
   * Opens or makes the file and readies it for going on; what is done again goes, in one step.
   *
   * @param path without symlinks
   * @throws CommandError when it cannot be written or is no file of results
   */
  static async open(path: string, options: ResultsOptions): Promise<ResultsFile> {
    try {
      const status = await stat(path).catch(() => null);
      if (status !== null && !status.isFile()) {
        throw new CommandError(`${path} is not a file`, { hint: 'name a file with --out' });
      }
      await sweepOrphans(path);
      const earlier: Reading =
        status === null
          ? { done: new Set(), failed: 0, isTorn: false, needsRewrite: false }
          : await readResults(path);
      if (earlier.needsRewrite) {
        await replaceFile(path, keptLines(path), { mode: 'keep', lock: options.lock });
      }
      return new ResultsFile(path, earlier, await open(path, 'a'), options);
    } catch (error) {
      throw error instanceof CommandError ? error : unwritable(path, error);
    }
  }

  /** @throws CommandError when the disk does not take it */
  append(record: Readonly<Record<string, unknown>>): Promise<void> {
    const line = `${redactMessage(JSON.stringify(record), this.#options.redact)}\n`;
    this.#last = this.#last.then(async () => {
      try {
        await this.#options.lock.check();
        await this.#file.appendFile(line);
      } catch (error) {
        throw unwritable(this.path, error);
      }
    });
    return this.#last;
  }

  /** Waits for the lines that are being written, and for the disk. */
  async close(): Promise<void> {
    await this.#last.catch(() => {});
    try {
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }
}
