/**
 * Every run of eight characters of the known secrets, in bounded memory: some twenty bytes for a
 * character of a secret, whatever it looks like.
 */

import { tellingRuns } from './telling-runs.ts';

/** Runs this long and longer are taken out; a key id of six stays. */
export const RUN = 8;
/** Every run of eight holds one piece of four that starts at a multiple of five. */
const PIECE = 4;
const STRIDE = RUN - PIECE + 1;

const SMALLEST = 1 << 10;
/** Bits of the filter for each slot of the table: one piece in thirty passes by chance. */
const BITS_PER_SLOT = 32;

export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (half ^ (half >>> 13)) >>> 0;
}

function pieceHash(text: string, at: number): number {
  const high = text.charCodeAt(at) * 31 + text.charCodeAt(at + 1);
  const low = text.charCodeAt(at + 2) * 31 + text.charCodeAt(at + 3);
  return mixed(Math.imul(high, 961) + low);
}

function runHash(text: string, at: number): number {
  let hash = 0;
  for (let offset = 0; offset < RUN; offset++) {
    hash = Math.imul(hash, 0x01000193) ^ text.charCodeAt(at + offset);
  }
  return mixed(hash);
}

/** A table with open addressing: slot → where the run stands, or 0. At most half full. */
export class RunIndex {
  /** The secrets, one after the other; position 0 is taken, so that 0 means an empty slot. */
  #codes = new Uint16Array(SMALLEST);
  #length = 1;
  #slots = new Int32Array(SMALLEST);
  #runs = 0;
  /** A bit for every piece: almost no text of others passes. */
  #pieces = new Uint8Array((SMALLEST * BITS_PER_SLOT) / 8);

  get isEmpty(): boolean {
    return this.#runs === 0;
  }

  /** Bytes that the index holds. */
  get size(): number {
    return this.#codes.byteLength + this.#slots.byteLength + this.#pieces.byteLength;
  }

  /** Takes many at once better than one after the other. Words in a secret are left out. */
  add(...secrets: readonly string[]): void {
    const characters = secrets.reduce((sum, secret) => sum + secret.length, 0);
    if ((this.#runs + characters) * 2 > this.#slots.length) this.#grow(characters);
    for (const secret of secrets) {
      const from = this.#length;
      this.#append(secret);
      this.#enter(secret, from);
    }
  }

  /** The parts of `text` that are made of runs of the secrets; sorted, apart from each other. */
  find(text: string): TextSpan[] {
    const spans: TextSpan[] = [];
    if (this.isEmpty) return spans;
    const bits = this.#pieces.length * 8 - 1;
    for (let at = 0; at + PIECE <= text.length; at += STRIDE) {
      const bit = pieceHash(text, at) & bits;
      if (((this.#pieces[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
      const last = Math.min(at, text.length - RUN);
      for (let start = Math.max(0, at - PIECE); start <= last; start++) {
        const place = this.#slots[this.#slotOf(text, start)] ?? 0;
        if (place !== 0) this.#cover(spans, text, start, place);
      }
    }
    return spans;
  }

  /**
   * Adds the run at `start`, which stands at `place` in a secret, and what goes on around it there:
   * beside what tells something, words of the secret do so too.
   */
  #cover(spans: TextSpan[], text: string, start: number, place: number): void {
    const last = spans.at(-1);
    const from = last?.end ?? 0;
    let end = start + RUN;
    if (end <= from) return;
    const isSame = (at: number): boolean => this.#codes[place + at - start] === text.charCodeAt(at);
    while (end < text.length && isSame(end)) end++;
    let begin = start;
    while (begin > from && isSame(begin - 1)) begin--;
    if (last === undefined || begin > from) spans.push({ start: begin, end });
    else spans[spans.length - 1] = { start: last.start, end };
  }

  #append(secret: string): void {
    // Between two secrets stands 0, which no text goes on with.
    const length = this.#length + secret.length + 1;
    if (length > this.#codes.length) {
      const codes = new Uint16Array(Math.max(length, this.#codes.length * 2));
      codes.set(this.#codes);
      this.#codes = codes;
    }
    for (let at = 0; at < secret.length; at++) {
      this.#codes[this.#length + at] = secret.charCodeAt(at);
    }
    this.#codes[length - 1] = 0;
    this.#length = length;
  }

  /** Enters the runs of a secret whose characters stand at `from`, those that tell something. */
  #enter(secret: string, from: number): void {
    const isTelling = tellingRuns(secret, RUN);
    for (let at = 0; at < isTelling.length; at++) {
      if (isTelling[at] === 1) this.#enterRun(secret, at, from + at);
    }
  }

  #enterRun(text: string, at: number, place: number): void {
    const slot = this.#slotOf(text, at);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = place;
    this.#runs++;
    const bits = this.#pieces.length * 8 - 1;
    for (let piece = at; piece + PIECE <= at + RUN; piece++) {
      const bit = pieceHash(text, piece) & bits;
      this.#pieces[bit >> 3] = (this.#pieces[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  /** Where the run at `at` stands in the table, or the empty slot that it would take. */
  #slotOf(text: string, at: number): number {
    const mask = this.#slots.length - 1;
    let slot = runHash(text, at) & mask;
    for (let place = this.#slots[slot] ?? 0; place !== 0; place = this.#slots[slot] ?? 0) {
      if (this.#isAt(place, text, at)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isAt(place: number, text: string, at: number): boolean {
    for (let offset = 0; offset < RUN; offset++) {
      if (this.#codes[place + offset] !== text.charCodeAt(at + offset)) return false;
    }
    return true;
  }

  /** Makes room for so many further runs, and enters again what is there. */
  #grow(further: number): void {
    let size = this.#slots.length;
    while ((this.#runs + further) * 2 > size) size *= 2;
    const places = this.#slots.filter((place) => place !== 0);
    this.#slots = new Int32Array(size);
    this.#pieces = new Uint8Array((size * BITS_PER_SLOT) / 8);
    this.#runs = 0;
    for (const place of places) {
      const run = String.fromCharCode(...this.#codes.subarray(place, place + RUN));
      this.#enterRun(run, 0, place);
    }
  }
}
