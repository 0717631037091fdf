/**
 * The one exit for text: nothing leaves the process unredacted.
 *
 * A secret may be shown by its key id only, its last six characters. The redactor knows the values
 * that were read (keys, master keys, tokens) and takes out the whole value, the forms it takes
 * when something encodes it, and any run of eight or more of its characters.
 */

const MASK = '[redacted]';

/** Runs this long and longer are taken out; a key id of six stays. */
const RUN = 8;
/** Every run of eight holds one piece of four that starts at a multiple of five. */
const PIECE = 4;
const STRIDE = RUN - PIECE + 1;

/** What a secret looks like even when its value was never registered. */
const SHAPES = [
  /\b(?:sk|pplx|kpm1)[-_][A-Za-z0-9_-]{8,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\bgAAAA[A-Za-z0-9_=-]{40,}/g,
];

/** Quick to say that none of them fits; bearer in either case, like the shape. */
const ANY_SHAPE = /(?:sk|pplx|kpm1)[-_]|[Bb][Ee][Aa][Rr][Ee][Rr]\s|gAAAA/;

/**
 * Pieces are first looked up by a hash of so many values, almost no text of others passes. One bit
 * for each: every text that leaves is looked up all over, and so few bytes stay in the cache.
 */
const HASHES = 1 << 16;

function hashAt(text: string, at: number): number {
  const high = text.charCodeAt(at) * 31 + text.charCodeAt(at + 1);
  const low = text.charCodeAt(at + 2) * 31 + text.charCodeAt(at + 3);
  return (Math.imul(high, 961) + low) & (HASHES - 1);
}

interface Place {
  readonly text: string;
  readonly at: number;
}

/** How far `text` and what stands at `place` agree around `at`; not before `from`. */
function runAt(
  text: string,
  at: number,
  from: number,
  place: Place,
): { start: number; end: number } {
  const { text: other, at: there } = place;
  let start = at;
  let end = at + PIECE;
  for (let o = there; start > from && o > 0 && text[start - 1] === other[o - 1]; o--) start--;
  for (let o = there + PIECE; end < text.length && text[end] === other[o]; o++) end++;
  return { start, end };
}

function addPieces(pieces: Map<string, Place[]>, text: string): void {
  for (let at = 0; at + PIECE <= text.length; at++) {
    const piece = text.slice(at, at + PIECE);
    const places = pieces.get(piece) ?? [];
    places.push({ text, at });
    pieces.set(piece, places);
  }
}

/** A run of plain letters ("deepseek" inside a test key) is a word, and words are no secret. */
function isTelling(run: string): boolean {
  return /\d/.test(run) && /[A-Za-z]/.test(run);
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}

export class Redactor {
  readonly #values = new Set<string>();
  readonly #forms = new Set<string>();
  /** Four-character piece → the secrets that hold it, with its places. */
  readonly #pieces = new Map<string, Place[]>();
  /** The same of every form, and the hashes of the pieces. */
  readonly #formPieces = new Map<string, Place[]>();
  readonly #hashes = new Uint8Array(HASHES / 8);

  /** Registers a value; short ones would mask ordinary text and are left to the shapes. */
  add(secret: string): void {
    if (secret.length < RUN || this.#values.has(secret)) return;
    this.#values.add(secret);
    for (const form of formsOf(secret)) this.#addForm(form);
    addPieces(this.#pieces, secret);
  }

  #addForm(form: string): void {
    if (this.#forms.has(form)) return;
    this.#forms.add(form);
    addPieces(this.#formPieces, form);
    for (let at = 0; at + PIECE <= form.length; at++) {
      const hash = hashAt(form, at);
      this.#hashes[hash >> 3] = (this.#hashes[hash >> 3] ?? 0) | (1 << (hash & 7));
    }
  }

  /** Takes every secret out of `text`. Cheap when there is none. */
  redact(text: string): string {
    if (text.length < RUN || (!ANY_SHAPE.test(text) && !this.#sharesRun(text))) return text;
    let clean = text;
    for (const form of this.#forms) {
      if (clean.includes(form)) clean = clean.replaceAll(form, MASK);
    }
    for (const shape of SHAPES) clean = clean.replace(shape, MASK);
    return this.#maskRuns(clean);
  }

  /** Whether the text and any form have a run in common; no form is shorter than a run. */
  #sharesRun(text: string): boolean {
    for (let at = 0; at + PIECE <= text.length; at += STRIDE) {
      const hash = hashAt(text, at);
      if (((this.#hashes[hash >> 3] ?? 0) & (1 << (hash & 7))) === 0) continue;
      for (const place of this.#formPieces.get(text.slice(at, at + PIECE)) ?? []) {
        const { start, end } = runAt(text, at, 0, place);
        if (end - start >= RUN) return true;
      }
    }
    return false;
  }

  #maskRuns(text: string): string {
    if (this.#pieces.size === 0) return text;
    let clean = '';
    let copied = 0;
    for (let at = 0; at + PIECE <= text.length; at += STRIDE) {
      const run = this.#longestRun(text, at, copied);
      if (run === null) continue;
      clean += text.slice(copied, run.start) + MASK;
      copied = run.end;
      at = Math.max(at, Math.floor(run.end / STRIDE) * STRIDE - STRIDE);
    }
    return clean + text.slice(copied);
  }

  /** The longest run around `at` that a secret shares with the text, if it is long and telling. */
  #longestRun(text: string, at: number, from: number): { start: number; end: number } | null {
    let best: { start: number; end: number } | null = null;
    for (const place of this.#pieces.get(text.slice(at, at + PIECE)) ?? []) {
      const { start, end } = runAt(text, at, from, place);
      const length = end - start;
      const isBest = best === null || length > best.end - best.start;
      if (length >= RUN && isBest && isTelling(text.slice(start, end))) best = { start, end };
    }
    return best;
  }
}
