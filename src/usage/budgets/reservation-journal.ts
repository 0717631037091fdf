/**
 * What calls in flight may still cost, for all processes of a home folder.
 *
 * Reservations are lines of one file. O_APPEND puts them into one order that every reader sees, and
 * each is admitted by what stands before it: no lock, no process that has to live. A process that
 * was killed leaves lines that the others stop counting as soon as they see that it is gone.
 *
 * A file an hour. Whoever appends looks at the clock again afterwards: a line that came into the
 * file of an hour that was over is withdrawn and written anew, so that the order of the files is
 * the order of their lines.
 */

import { closeSync, constants, mkdirSync, readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord, parseRecord } from '../../base/text/json.ts';
import { fateOf, type LockHolder, ownHolder, parseHolder } from '../../disk/lock-holder.ts';
import { openFileSync } from '../../disk/read-file.ts';
import { Tail } from '../ledger/tail.ts';

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;

export interface Reservation {
  readonly id: string;
  /** Upper estimate. */
  readonly usd: number;
  readonly client: string | null;
  /** Not counted after this, whatever became of its process; epoch milliseconds. */
  readonly until: number;
}

export interface JournalOptions {
  readonly folder: string;
  readonly now: () => number;
  /** Called when the journal cannot be written: the others then do not see this process. */
  readonly onTrouble: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;
/** No call lasts longer than an hour, so no older file holds anything open. */
const KEPT_HOURS = 2;
const FATE_MS = 200;

interface Known extends Reservation {
  readonly by: string;
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

function fileName(hour: number): string {
  return `${new Date(hour * HOUR_MS).toISOString().slice(0, 13)}.jsonl`;
}

export class ReservationJournal {
  readonly #options: JournalOptions;
  readonly #own: LockHolder = ownHolder();
  /** In the order of their lines. */
  readonly #open = new Map<string, Known>();
  /** Calls with a key of an account, in the order in which they got it. */
  readonly #assigned = new Map<string, string>();
  readonly #processes = new Map<string, LockHolder>();
  readonly #fates = new Map<string, { readonly isGone: boolean; readonly at: number }>();
  #hour: number;
  #tail: Tail;
  #writing: { readonly hour: number; readonly file: number } | null = null;
  #count = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#hour = hourOf(options.now()) - KEPT_HOURS;
    this.#tail = this.#tailOf(this.#hour);
  }

  /** Stands in line from here on. @returns its id */
  reserve(asked: Omit<Reservation, 'id'>): string {
    for (;;) {
      this.#count += 1;
      const id = `${this.#own.token}.${this.#count}`;
      const known = { ...asked, id, by: this.#own.token };
      const hour = this.#write({ open: known });
      if (hour === null) {
        this.#open.set(id, known);
        return id;
      }
      this.refresh();
      if (this.#open.has(id) && hour === this.#hour) return id;
      this.release(id);
    }
  }

  /** The next key is of this account: the call stands in that line, too, and keeps its place there. */
  assign(id: string, account: string): void {
    if (this.#assigned.get(id) === account) return;
    if (this.#write({ assign: id, account }) === null) this.#assign(id, account);
    else this.refresh();
  }

  /** Others came first: the call leaves the account's line, for it may go elsewhere or nowhere. */
  unassign(id: string): void {
    if (!this.#assigned.delete(id)) return;
    this.#write({ unassign: id });
  }

  release(id: string): void {
    if (!this.#forget(id)) return;
    this.#write({ end: id });
  }

  /** Reads what the others wrote. */
  refresh(): void {
    // The clock before the file: what is appended later than this stands in a later hour's.
    const now = hourOf(this.#options.now());
    this.#tail.read();
    while (this.#hour < now) {
      this.#tail.close();
      this.#hour += 1;
      this.#tail = this.#tailOf(this.#hour);
      this.#tail.read();
    }
  }

  /** Those that stand before `id`, and whose processes may still be at work. */
  ahead(id: string): Reservation[] {
    return this.#before(id, this.#open.keys());
  }

  /** Those that stand before `id` in the line of an account. */
  aheadInAccount(id: string, account: string): Reservation[] {
    return this.#before(id, this.#assigned.keys()).filter(
      (known) => this.#assigned.get(known.id) === account,
    );
  }

  #before(id: string, line: Iterable<string>): Reservation[] {
    const found: Reservation[] = [];
    for (const each of [...line]) {
      if (each === id) break;
      const known = this.#open.get(each);
      if (known === undefined || this.#isGone(known)) this.#forget(each);
      else found.push(known);
    }
    return found;
  }

  #forget(id: string): boolean {
    this.#assigned.delete(id);
    return this.#open.delete(id);
  }

  #assign(id: string, account: string): void {
    this.#assigned.delete(id);
    this.#assigned.set(id, account);
  }

  close(): void {
    this.#tail.close();
    if (this.#writing !== null) closeSync(this.#writing.file);
    this.#writing = null;
  }

  #tailOf(hour: number): Tail {
    const path = join(this.#options.folder, fileName(hour));
    return new Tail(path, (line) => this.#apply(line));
  }

  #apply(line: string): void {
    const fields = parseRecord(line);
    if (fields === null || fields.v !== 1) return;
    const { open, assign, account, unassign, end, process: holder } = fields;
    if (typeof end === 'string') this.#forget(end);
    if (typeof assign === 'string' && typeof account === 'string') this.#assign(assign, account);
    if (typeof unassign === 'string') this.#assigned.delete(unassign);
    const told = parseHolder(JSON.stringify(holder ?? null));
    if (told !== null) this.#processes.set(told.token, told);
    const known = isRecord(open) ? knownOf(open) : null;
    if (known !== null) this.#open.set(known.id, known);
  }

  #isGone(known: Known): boolean {
    const now = this.#options.now();
    if (known.until < now) return true;
    if (known.by === this.#own.token) return false;
    const before = this.#fates.get(known.by);
    if (before !== undefined && now - before.at < FATE_MS) return before.isGone;
    const holder = this.#processes.get(known.by);
    const isGone = holder !== undefined && fateOf(holder, this.#own) === 'dead';
    this.#fates.set(known.by, { isGone, at: now });
    return isGone;
  }

  /** @returns the hour whose file it went to, if that is not over yet; null when it cannot be written */
  #write(event: object): number | null {
    try {
      const hour = Math.max(this.#hour, hourOf(this.#options.now()));
      writeSync(this.#fileOf(hour), `${JSON.stringify({ v: 1, ...event })}\n`);
      return hour;
    } catch (error) {
      this.#options.onTrouble(error);
      return null;
    }
  }

  #fileOf(hour: number): number {
    if (this.#writing?.hour === hour) return this.#writing.file;
    if (this.#writing !== null) closeSync(this.#writing.file);
    this.#writing = null;
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = openFileSync(join(folder, fileName(hour)), APPEND);
    this.#writing = { hour, file };
    // A stump of a killed writer ends here.
    writeSync(file, `\n${JSON.stringify({ v: 1, process: this.#own })}\n`);
    this.#removeOld(hour);
    return file;
  }

  #removeOld(hour: number): void {
    const oldest = fileName(hour - KEPT_HOURS - 1);
    for (const name of readdirSync(this.#options.folder)) {
      if (!/^\d{4}-\d\d-\d\dT\d\d\.jsonl$/.test(name) || name >= oldest) continue;
      try {
        unlinkSync(join(this.#options.folder, name));
      } catch {
        // Another process was faster.
      }
    }
  }
}

function knownOf(fields: Record<string, unknown>): Known | null {
  const { id, usd, client, until, by } = fields;
  if (typeof id !== 'string' || typeof by !== 'string' || typeof until !== 'number') return null;
  if (typeof usd !== 'number' || !Number.isFinite(usd) || usd < 0) return null;
  return {
    id,
    by,
    usd,
    until,
    client: typeof client === 'string' ? client : null,
  };
}
