/**
 * The one exit for text: nothing leaves the process unredacted.
 *
 * A secret may be shown by its key id only, its last six characters. The redactor knows the values
 * that are in use (keys, master keys, tokens, passwords) and takes out any run of eight or more of
 * their characters, plain or encoded. In a result nothing else goes: what looks like a key may be
 * what was asked for. In logs the shapes of keys go as well.
 */

import { decodings } from './redaction/decodings.ts';
import { holdsEscape, unescaped } from './redaction/escapes.ts';
import { RUN, RunIndex, type TextSpan } from './redaction/run-index.ts';
import { MASK, maskShapes } from './redaction/shapes.ts';
import { classOf } from './redaction/stretches.ts';
import { tellingRuns } from './redaction/telling-runs.ts';

/** Escapes of escapes, encodings of encodings: as deep as anything wraps an error. */
const MOST_ESCAPES = 3;
const MOST_ENCODINGS = 2;
/** A value without a telling run goes as a whole; one that is shorter than this is any word. */
const SHORTEST = 4;
/** A shorter one is taken out as a word of its own alone. */
const SHORTEST_PART = 12;

/** A value that nobody uses any more is remembered for the longest call that may carry it, … */
const REMEMBERED_MS = 3_600_000;
/** … the latest of them, up to so many characters in all. */
const REMEMBERED_CHARACTERS = 256 * 1024;

/** What secrets, their escapes and their encodings are written with, as a rule. */
const ASCII = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at));
const WRITTEN = `${ASCII.join('')}\t\n\r\0\u00ad`;
const USUAL = classOf(WRITTEN);
const UNUSUAL = /[^ -~\t\n\r\0\u00ad]+/g;

const isWordCharacter = (character: string): boolean => /^[\p{L}\p{N}_-]$/u.test(character);

/** Where a value stands that goes as a whole. */
function wholeSpans(text: string, value: string): TextSpan[] {
  const spans: TextSpan[] = [];
  let end = 0;
  for (let start = text.indexOf(value); start !== -1; start = text.indexOf(value, end)) {
    end = start + value.length;
    const isPart = [text.charAt(start - 1), text.charAt(end)].some(isWordCharacter);
    if (!isPart || value.length >= SHORTEST_PART) spans.push({ start, end });
  }
  return spans;
}

function isTelling(value: string): boolean {
  return tellingRuns(value, Math.min(value.length, RUN)).includes(1);
}

/** A word that stands in any text, as a key for trying things out may be. */
function isPlainWord(value: string): boolean {
  return value.length < RUN && !isTelling(value);
}

function masked(text: string, spans: TextSpan[]): string {
  let clean = '';
  let copied = 0;
  for (const { start, end } of spans.sort((a, b) => a.start - b.start)) {
    if (start >= copied) clean += text.slice(copied, start) + MASK;
    copied = Math.max(copied, end);
  }
  return clean + text.slice(copied);
}

export class Redactor {
  readonly #now: () => number;
  /** Who uses which values. */
  readonly #used = new Map<string, ReadonlySet<string>>();
  /** Values that nobody uses any more → until when they are remembered; the oldest first. */
  readonly #remembered = new Map<string, number>();
  /** Everything that is taken out: what is used and what is remembered. */
  readonly #known = new Set<string>();
  #index = new RunIndex();
  #holdsEscape = false;
  /** Characters of secrets that are seldom part of any. */
  #unusual = '';
  #isText = USUAL;
  /** Values that are short or made of words: they go as a whole alone. */
  #whole: string[] = [];

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Registers the values that `user` has from here on, in the place of those it had. */
  use(user: string, values: Iterable<string>): void {
    const before = this.#used.get(user) ?? new Set<string>();
    const after = new Set(values);
    this.#used.set(user, after);
    for (const value of before) if (!after.has(value)) this.#remember(value);
    this.#update(after);
  }

  /** Registers values that pass by: what was pasted and may be refused, what is gone already. */
  add(...values: readonly string[]): void {
    for (const value of values) this.#remember(value);
    this.#update(values);
  }

  /** Bytes that the values take. */
  get size(): number {
    return this.#index.size;
  }

  /** Takes every known value out of a result. Cheap when there is none. */
  redact(text: string): string {
    if (text.length < SHORTEST || this.#known.size === 0) return text;
    const spans = this.#spans(text, MOST_ENCODINGS);
    return spans.length === 0 ? text : masked(text, spans);
  }

  /** For logs: what looks like a secret goes as well. */
  redactLog(text: string): string {
    return maskShapes(this.redact(text));
  }

  #remember(value: string): void {
    this.#remembered.delete(value);
    this.#remembered.set(value, this.#now() + REMEMBERED_MS);
  }

  #update(added: Iterable<string>): void {
    if (!this.#forget()) {
      this.#enter(added);
      return;
    }
    this.#known.clear();
    this.#index = new RunIndex();
    this.#whole = [];
    this.#holdsEscape = false;
    this.#unusual = '';
    this.#isText = USUAL;
    const used = [...this.#used.values()].flatMap((values) => [...values]);
    this.#enter([...used, ...this.#remembered.keys()]);
  }

  /** @returns true when a value is no longer known */
  #forget(): boolean {
    const isUsed = (value: string): boolean =>
      [...this.#used.values()].some((values) => values.has(value));
    let characters = 0;
    for (const value of this.#remembered.keys()) characters += value.length;
    // Down to a half, so that not every further value makes the index anew.
    const most = characters > REMEMBERED_CHARACTERS ? REMEMBERED_CHARACTERS / 2 : characters;
    let hasForgotten = false;
    for (const [value, until] of this.#remembered) {
      if (until > this.#now() && characters <= most) break;
      characters -= value.length;
      this.#remembered.delete(value);
      hasForgotten ||= !isUsed(value);
    }
    return hasForgotten;
  }

  #enter(values: Iterable<string>): void {
    const isNew = (value: string): boolean => value.length >= SHORTEST && !this.#known.has(value);
    const fresh = [...new Set(values)].filter(isNew);
    const inRuns: string[] = [];
    for (const value of fresh) {
      this.#known.add(value);
      if (value.length >= RUN && isTelling(value)) inRuns.push(value);
      else if (!isPlainWord(value)) this.#whole.push(value);
    }
    this.#holdsEscape ||= fresh.some(holdsEscape);
    this.#knowUnusual(fresh);
    this.#index.add(...inRuns);
  }

  #knowUnusual(values: readonly string[]): void {
    const unusual = values.flatMap((value) => value.match(UNUSUAL) ?? []).join('');
    if (unusual === '') return;
    this.#unusual += unusual;
    this.#isText = classOf(WRITTEN + this.#unusual);
  }

  /** Where values stand in a text, however they are written. */
  #spans(text: string, encodings: number, escapes = MOST_ESCAPES): TextSpan[] {
    const read = escapes > 0 ? unescaped(text) : null;
    // What stands in the text stands in the reading, but for secrets that hold an escape themselves.
    const found = read === null || this.#holdsEscape ? this.#plainSpans(text) : [];
    if (read !== null) {
      // No escape is part of an encoding: what is encoded stands in the reading as well.
      const within = this.#spans(read.text, encodings, escapes - 1);
      found.push(...within.map(read.locate));
    } else if (encodings > 0) {
      for (const reading of decodings(text, this.#isText)) {
        found.push(...this.#spans(reading.text, encodings - 1).map(reading.locate));
      }
    }
    return found;
  }

  #plainSpans(text: string): TextSpan[] {
    const whole = this.#whole.flatMap((value) => wholeSpans(text, value));
    return [...this.#index.find(text), ...whole];
  }
}
