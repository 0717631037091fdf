/** Looks for a secret in everything a process puts out, in any form it may take. */

import { randomInt } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A fresh random secret; the repository holds none, and no text contains part of it by chance. */
export function canarySecret(prefix = 'sk-fake'): string {
  const random = (length: number): string =>
    Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  // Nothing that may be written before a key id ends so.
  return `${prefix}${random(32)}qZ${random(6)}`;
}

export interface Sink {
  readonly name: string;
  readonly content: string | Buffer;
}

export interface Leak {
  readonly sink: string;
  /** The form it was found in, and where in the secret; never the secret itself. */
  readonly form: string;
  readonly at: number;
}

export interface CanaryReport {
  /** Names of all sinks that were searched, with their sizes in bytes. */
  readonly searched: string[];
  readonly leaks: Leak[];
}

/** Any run of this many characters counts; the key id, six of them, may be shown. */
const RUN = 8;

interface Pattern {
  readonly form: string;
  readonly at: number;
  readonly text: string;
}

function windows(form: string, text: string, length: number, step = 1): Pattern[] {
  const found: Pattern[] = [];
  for (let at = 0; at + length <= text.length; at += step) {
    found.push({ form, at, text: text.slice(at, at + length) });
  }
  return found;
}

/**
 * Base64 of a secret somewhere inside a longer text: it depends on the offset modulo three, and
 * the characters at both ends depend on the neighbours.
 */
function base64Windows(secret: string): Pattern[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.from(`${' '.repeat(offset)}${secret}`).toString('base64');
    const inner = encoded.slice(offset === 0 ? 0 : 4).replace(/.{4}$/, '');
    return windows(`base64+${offset}`, inner, 11);
  });
}

function patternsOf(secret: string): Pattern[] {
  const hex = Buffer.from(secret).toString('hex');
  const reversed = [...secret].reverse().join('');
  return [
    ...windows('plain', secret, RUN),
    ...windows('reversed', reversed, RUN),
    ...windows('hex', hex, RUN * 2, 2),
    ...base64Windows(secret),
  ];
}

/** Undoes the escapes of URLs, JSON, JavaScript and HTML, as far as they hide ASCII. */
function unescaped(text: string): string {
  const character = (hex: string): string => String.fromCodePoint(Number.parseInt(hex, 16));
  return text
    .replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => character(hex))
    .replace(/\\u00([0-7][0-9a-f])/gi, (_, hex: string) => character(hex))
    .replace(/\\x([0-7][0-9a-f])/gi, (_, hex: string) => character(hex))
    .replace(/&#x0*([0-7]?[0-9a-f]);/gi, (_, hex: string) => character(hex))
    .replace(/&#0*(\d{2,3});/g, (_, code: string) => String.fromCodePoint(Number(code) % 128));
}

/** Every reading of a sink's text in which a secret may stand plainly. */
function readings(content: string | Buffer): string[] {
  const text = typeof content === 'string' ? content : content.toString('latin1');
  const joined = text.replace(/[\s\0-]+/g, '');
  const standard = text.replaceAll('_', '/').replaceAll('-', '+');
  const variants = [text, unescaped(text), joined, text.toLowerCase(), standard];
  return [...new Set(variants)];
}

/** A text is probed at every fifth place: every run of eight holds a piece of four that starts there. */
const STRIDE = 5;

/** Patterns by the pieces that they hold: megabytes are searched in one pass. */
class PatternIndex {
  /** Length of a piece → piece → patterns. Longer patterns have longer pieces, and rarer hits. */
  readonly #pieces = new Map<number, Map<string, Set<Pattern>>>();
  #longest = 0;

  constructor(patterns: readonly Pattern[]) {
    for (const pattern of patterns) {
      this.#longest = Math.max(this.#longest, pattern.text.length);
      const length = pattern.text.length - STRIDE + 1;
      const byPiece = this.#pieces.get(length) ?? new Map<string, Set<Pattern>>();
      this.#pieces.set(length, byPiece);
      for (const { text } of windows('', pattern.text, length)) {
        byPiece.set(text, (byPiece.get(text) ?? new Set()).add(pattern));
      }
    }
  }

  search(text: string, found: Set<Pattern>): void {
    for (const [length, byPiece] of this.#pieces) {
      for (let at = 0; at < text.length; at += STRIDE) {
        const candidates = byPiece.get(text.slice(at, at + length));
        if (candidates === undefined) continue;
        const around = text.slice(Math.max(0, at - this.#longest), at + this.#longest);
        for (const pattern of candidates) if (around.includes(pattern.text)) found.add(pattern);
      }
    }
  }
}

/** Searches all sinks for all secrets. */
export function findLeaks(secrets: readonly string[], sinks: readonly Sink[]): CanaryReport {
  const index = new PatternIndex(secrets.flatMap(patternsOf));
  const leaks = sinks.flatMap(({ name, content }) => {
    const found = new Set<Pattern>();
    for (const text of readings(content)) index.search(text, found);
    return [...found].map(({ form, at }) => ({ sink: name, form, at }));
  });
  const searched = sinks.map(
    ({ name, content }) => `${name} (${Buffer.byteLength(content)} bytes)`,
  );
  return { searched, leaks };
}

/** Every file below a folder as sinks; files that vanish meanwhile are left out. */
export function folderSinks(label: string, folder: string): Sink[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => fileSink(label, folder, entry));
}

function fileSink(label: string, folder: string, entry: Dirent): Sink[] {
  const path = join(entry.parentPath, entry.name);
  try {
    return [{ name: `${label}${path.slice(folder.length)}`, content: readFileSync(path) }];
  } catch {
    return [];
  }
}

/** Command line and, where it holds no key by design, environment of a running process. */
export function processSinks(pid: number): Sink[] {
  return ['cmdline', 'environ'].flatMap((name) => {
    try {
      return [{ name: `/proc/PID/${name}`, content: readFileSync(`/proc/${pid}/${name}`) }];
    } catch {
      return [];
    }
  });
}
