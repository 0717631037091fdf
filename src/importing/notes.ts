/**
 * A text line by line: settings files, shells' files, and notes with labels, headings and remarks.
 * Pure.
 */

import { vendorOf } from '../base/keys/key-values.ts';
import { trimEnd, WHITE_SPACE } from '../base/text/trim.ts';
import { type Assignment, assignmentsIn } from './assignments.ts';
import { isCutInTwo, labelsOf } from './clues/labels.ts';
import {
  isInAddress,
  isUsableSecret,
  prefixedTokens,
  secretTokens,
  type Token,
} from './clues/tokens.ts';
import { readWords, stripDecoration, type Words } from './clues/words.ts';
import { type ImportFinding, left } from './import-finding.ts';
import {
  type ExplicitName,
  explicitName,
  judgeCommented,
  judgeLabelled,
  judgeNamed,
  type Surroundings,
} from './judge.ts';

const COMMENT = /^\s*(?:#(?!#)|\/\/|;|--\s|<!--|REM\s|%)/i;
const PRIVATE_KEY = /-----BEGIN [A-Z ]+-----/;
const SECTION = /^\s*\[{1,2}([^\][]+)\]{1,2}\s*(?:[#;].*)?$/;
/** Stands between a label and what it labels. */
const SEPARATOR = /[:：=]|->|→|\t|\||\s[-–—]\s/;
const HEADING_END = `:：=${WHITE_SPACE}`;
/** What is longer was written by a program, in a format that is not read here. */
const LONGEST_LINE = 10_000;
/** Headings are shorter. */
const LONGEST_HEADING = 200;
/** How far a quote may go on; beyond it is a quote that nobody closed. */
const LONGEST_QUOTE = 100;

/** `NAMES = [`, `NAMES=(`, `NAMES := []string{`: a list begins, with an item in each line below. */
const LIST_BEGINS = /^[\w.[\]!<>=&\s]{0,40}[[({]$/;
const LIST_ENDS = /^\s*[\])}]/;
const ITEM = /^[\s"'`,-]*$/;

const DIFF = /^(?:diff --git |@@ -\d)/;
const REMOVED = /^-(?!--)/;

/** "Name: DeepSeek" above "Key: …". */
const TITLE =
  /^(?:name|title|label|service|vendor|platform|site|website|url|for)\s*[:=]\s*(\S.*)$/i;

/** Of a netrc, by line or by white space: `machine HOST`, then `login NAME`, `password VALUE`. */
const NETRC = /^\s*(machine|login|account|password)\s+(\S+)/;

interface Heading {
  readonly words: Words;
  /** A name of its own line, with its value below it. */
  readonly name: { readonly written: string; readonly read: ExplicitName } | null;
  isNear: boolean;
}

/** A name that the pool or the store knows, written as a name; words of a label are none. */
function isWrittenName(name: string): boolean {
  const read = explicitName(name);
  if (read === null) return false;
  return read.kind !== 'setting' || /^[A-Z][A-Z0-9]*_[A-Z0-9_]*$/.test(name);
}

function isVendor(words: Words): boolean {
  return words.providers.size > 0 || words.namesOther;
}

function looksLikeHeading(line: string): boolean {
  const bare = stripDecoration(line);
  const words = readWords(bare);
  const isDecorated = /^\s*(?:#+\s|=+\s|\*\*|__)|[:：]\s*$/.test(line);
  const ends = trimEnd(bare, HEADING_END);
  if (ends === '' || /[=|{}]|[.!?]\s|[.!?]$/.test(ends) || words.count === 0 || words.count > 7) {
    return false;
  }
  // A bare token is never a heading: every piece is a word or a small number.
  const pieces = ends.split(/[\s/,&+()-]+/).filter((piece) => piece !== '');
  const isWords = pieces.every((piece) => /^(?:[\p{L}'’]{1,20}\d{0,2}|#?\d{1,4}:?)$/u.test(piece));
  const isKnown = isVendor(words) || words.saysKey;
  return isWords && (isDecorated || isKnown);
}

export class NotesReader {
  readonly #lines: readonly string[];
  readonly #around: Surroundings;
  readonly #findings: ImportFinding[] = [];
  #heading: Heading | null = null;
  readonly #isDiff: boolean;
  /** The host of the netrc entry that the lines are of; empty outside one. */
  #machine = '';

  constructor(lines: readonly string[], around: Surroundings, heading: string | null = null) {
    this.#lines = lines;
    this.#around = around;
    this.#isDiff = lines.some((line) => DIFF.test(line));
    if (heading !== null) this.#setHeading(heading);
  }

  read(): readonly ImportFinding[] {
    for (let at = 0; at < this.#lines.length; ) at = this.#readFrom(at);
    return this.#findings;
  }

  #line(at: number): string {
    return this.#lines[at] ?? '';
  }

  /** @returns the index of the next line to read */
  #readFrom(at: number): number {
    const line = this.#line(at);
    if (line.length > LONGEST_LINE) {
      const reason = 'what looks like a key, in a line too long to be read';
      if (prefixedTokens(line).length > 0) this.#findings.push(left(at + 1, reason));
      return at + 1;
    }
    const bare = line.trim();
    if (bare !== '' && !COMMENT.test(line)) this.#readMachine(line);
    if (bare === '' || /^(?:```|~~~|---+$|[|:+-][\s|:+-]*$)/.test(bare)) return at + 1;
    if (PRIVATE_KEY.test(line)) return this.#skipPrivateKey(at);
    if (this.#isDiff && REMOVED.test(line)) {
      const reason = 'a line that was taken out: an old key?';
      if (secretTokens(line).length > 0) this.#findings.push(left(at + 1, reason));
      return at + 1;
    }
    if (isCutInTwo(line, this.#line(at + 1))) {
      const reason = 'a key that goes on in the next line: join the two to import it';
      this.#findings.push({ ...left(at + 1, reason), through: at + 2 });
      return at + 2;
    }
    const assignments = assignmentsIn(line, isWrittenName);
    if (COMMENT.test(line) && (assignments.length > 0 || secretTokens(line).length > 0)) {
      this.#findings.push(...judgeCommented(line, at + 1));
      return at + 1;
    }
    const open = assignments.find((each) => each.openQuote !== null);
    if (open !== undefined) return this.#readOpenQuote(at, open);
    const last = assignments.at(-1);
    if (last !== undefined && LIST_BEGINS.test(last.value)) {
      const next = this.#readList(at, last);
      if (next !== null) return next;
    }
    if (assignments.length > 0) this.#readAssignments(assignments, at + 1);
    else this.#readWordsLine(line, at + 1);
    return at + 1;
  }

  #readAssignments(assignments: readonly Assignment[], number: number): void {
    for (const { name, value } of assignments) {
      const read = explicitName(name);
      if (read !== null) {
        this.#findings.push(...judgeNamed(name, read, value, number, this.#around));
      }
    }
  }

  /** @returns null when it is no list of bare keys of the pool */
  #readList(at: number, { name }: Assignment): number | null {
    const read = explicitName(name);
    const rest = this.#lines.slice(at + 1, at + 1 + LONGEST_QUOTE);
    const items = rest.slice(
      0,
      Math.max(
        0,
        rest.findIndex((line) => LIST_ENDS.test(line)),
      ),
    );
    if (read === null || read.kind === 'setting' || read.kind === 'secret') return null;
    const areBare = items.every((line) => {
      const [token] = secretTokens(line);
      return COMMENT.test(line) || token === undefined || ITEM.test(line.slice(0, token.start));
    });
    if (items.length === 0 || !areBare) return null;
    for (const [offset, line] of items.entries()) {
      const number = at + 2 + offset;
      if (COMMENT.test(line)) this.#findings.push(...judgeCommented(line, number));
      else if (secretTokens(line).length > 0) {
        const unnumbered: ExplicitName = { ...read, number: null };
        this.#findings.push(...judgeNamed(name, unnumbered, line, number, this.#around));
      }
    }
    return at + 1 + items.length;
  }

  /** A list over several lines is read; a quote that swallows assignments was never closed. */
  #readOpenQuote(at: number, open: Assignment): number {
    const quote = open.openQuote ?? '"';
    const read = explicitName(open.name);
    const shown = read?.kind === 'secret' || read?.kind === 'pool' ? read.name : null;
    const rest = this.#lines.slice(at + 1, at + 1 + LONGEST_QUOTE);
    const length = rest.findIndex((line) => line.includes(quote));
    const inside = length === -1 ? [] : rest.slice(0, length + 1);
    if (length === -1 || inside.some((line) => assignmentsIn(line, isWrittenName).length > 0)) {
      this.#findings.push(left(at + 1, 'its quote is never closed', shown));
      return at + 1;
    }
    const lines = [open.value, ...inside];
    const hasOnlyKeys = lines.every((line) => {
      const tokens = secretTokens(line);
      return tokens.every(
        (token) => vendorOf(token.value) !== null || token.value.startsWith('sk-'),
      );
    });
    const isList =
      read?.kind === 'pool' && hasOnlyKeys && secretTokens(lines.join('\n')).length > 1;
    if (isList) {
      for (const [offset, line] of lines.entries()) {
        if (secretTokens(line).length === 0) continue;
        const name: ExplicitName = offset === 0 ? read : { ...read, number: null };
        this.#findings.push(...judgeNamed(open.name, name, line, at + 1 + offset, this.#around));
      }
    } else {
      const through = at + 1 + inside.length;
      this.#findings.push({ ...left(at + 1, 'it has more than one line', shown), through });
    }
    return at + 1 + inside.length;
  }

  #skipPrivateKey(at: number): number {
    const end = this.#lines.findIndex((line, index) => index >= at && /-----END /.test(line));
    const through = (end === -1 ? at : end) + 1;
    this.#findings.push({ ...left(at + 1, 'a private key or a certificate'), through });
    return through;
  }

  #readMachine(line: string): void {
    const [, keyword, value = ''] = NETRC.exec(line) ?? [];
    if (keyword === undefined) this.#machine = '';
    else if (keyword === 'machine') this.#machine = value;
  }

  #isMachinePassword(line: string): boolean {
    return this.#machine !== '' && NETRC.exec(line)?.[1] === 'password';
  }

  #setHeading(text: string): void {
    this.#heading = { words: readWords(text), name: null, isNear: true };
  }

  /** Labels, headings, values alone. */
  #readWordsLine(line: string, number: number): void {
    const section = SECTION.exec(line)?.[1]
      ?.trim()
      .replace(/^["']|["']$/g, '')
      .trim();
    if (section !== undefined && secretTokens(section).length === 0) {
      this.#setHeading(section.replace(/[._]/g, ' '));
      return;
    }
    const tokens = secretTokens(line);
    if (tokens.length > 0) this.#readTokens(line, tokens, number);
    else if (this.#isMachinePassword(line)) {
      this.#findings.push(left(number, 'a password, not an API key'));
    } else if (!this.#readShortValue(line, number)) this.#readHeading(line, number);
  }

  #headingDoubt(): string {
    return this.#heading?.isNear === false ? 'its heading is not right above it' : '';
  }

  #readHeading(line: string, number: number): void {
    const plain = line
      .trim()
      .replace(/<[^<>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    if (plain.length > LONGEST_HEADING) return;
    const bare = trimEnd(plain, HEADING_END);
    const read = /^[A-Za-z_][\w.-]*$/.test(bare) && isWrittenName(bare) ? explicitName(bare) : null;
    const title = TITLE.exec(stripDecoration(plain))?.[1];
    if (read !== null) {
      this.#heading = { words: readWords(bare), name: { written: bare, read }, isNear: true };
    } else if (title !== undefined && isVendor(readWords(title))) this.#setHeading(title);
    else if (looksLikeHeading(plain)) {
      // "API keys" below "DeepSeek" takes nothing from it.
      const isRemark = readWords(bare).isGeneric && this.#heading?.isNear === true;
      if (!isRemark || /^\s*#/.test(line)) this.#setHeading(stripDecoration(plain));
    } else if (this.#heading !== null && this.#isElsewhere(plain, number)) {
      this.#heading.isNear = false;
    }
  }

  /** Prose, or a new paragraph about something else; "created in May" belongs to its heading. */
  #isElsewhere(line: string, number: number): boolean {
    if (/[:：=]\s*\S/.test(line)) return false;
    return readWords(line).count > 5 || this.#line(number - 2).trim() === '';
  }

  #readTokens(line: string, tokens: readonly Token[], number: number): void {
    const labels = this.#isMachinePassword(line)
      ? [readWords(`${this.#machine} password`)]
      : labelsOf(line, tokens);
    for (const [at, token] of tokens.entries()) {
      const { value } = token;
      const name = this.#heading?.name ?? null;
      const label = labels[at] ?? readWords('');
      if (isInAddress(line, token.start)) {
        this.#findings.push(left(number, 'what looks like a key, inside an address'));
      } else if (name !== null && this.#heading?.isNear === true && label.count === 0) {
        this.#findings.push(...judgeNamed(name.written, name.read, value, number, this.#around));
      } else {
        const heading = this.#heading?.words ?? null;
        const headingDoubt = this.#headingDoubt();
        this.#findings.push(judgeLabelled({ label, heading, headingDoubt, value, line: number }));
      }
      // Below a line of somebody else the heading holds no longer.
      if (this.#heading !== null && label.namesOther) this.#heading.isNear = false;
    }
  }

  /** "Bybit Secret: abc12345", "password: hunter2": too short to stand out, but labelled. */
  #readShortValue(line: string, number: number): boolean {
    const text = stripDecoration(line.trim());
    if (text.length > LONGEST_HEADING) return false;
    const separator = SEPARATOR.exec(text);
    if (separator === null) return false;
    const label = readWords(text.slice(0, separator.index));
    const rest = text.slice(separator.index + separator[0].length).trimStart();
    if (rest === '') return false;
    const value = trimEnd(rest.replace(/^["'`]+/, ''), `"'\`,;|${WHITE_SPACE}`);
    if (label.count === 0 || label.count > 6 || !(label.saysKey || label.saysPassword))
      return false;
    const heading = this.#heading?.words ?? null;
    if (isUsableSecret(value)) {
      const headingDoubt = this.#headingDoubt();
      this.#findings.push(judgeLabelled({ label, heading, headingDoubt, value, line: number }));
      return true;
    }
    const name = label.isGeneric ? null : label.name;
    if (label.saysOther || !(label.providers.size > 0 || label.namesOther)) return false;
    this.#findings.push(
      left(number, 'what follows the label is not a key', name === '' ? null : name),
    );
    return true;
  }
}
