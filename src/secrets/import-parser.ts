/**
 * What people keep keys in → names and values: `.env` files, JSON, and text with labels and notes
 * between the keys. Pure; nothing is written, and no value gets into a reason.
 */

import { duplicateKey, isRecord } from '../base/json.ts';
import { isKeyName } from '../base/key-names.ts';
import { valueProblem } from '../base/key-values.ts';
import type { JsonObject } from './encoding.ts';
import { familyOfValue, readLabel, stripDecoration } from './import-label.ts';
import { classifyValue } from './import-value.ts';

/** A key that was found. */
export interface Candidate {
  /** The name as written, or the base that gets a number where it is taken. */
  readonly name: string;
  /** A number that the label gave; null lets it follow in order. */
  readonly number: number | null;
  /** `exact`: the file says this name. `labelled`: we made it from words. */
  readonly origin: 'exact' | 'labelled';
  readonly value: string;
  /** 1-based; 0 in JSON. */
  readonly line: number;
}

export interface Skipped {
  /** A checked name, or null where the text gives none that is safe to repeat. */
  readonly name: string | null;
  readonly line: number;
  /** Our words, lower case. */
  readonly reason: string;
}

export interface ParsedImport {
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
}

/** Settings of this program and of others; a master key does not belong into the store it opens. */
const NOT_A_KEY =
  /^(?:MASTER_ENCRYPTION_KEY(?:_FILE)?|ENCRYPTION_KEY|KEYPOOL_.*|NODE_ENV|.*_(?:BASE_URL|URL|MODEL|HOST|PORT|REGION|LEVEL|TIMEOUT(?:_MS)?|VERSION|ENABLED))$/;
const SECRET_NAME = /KEY|SECRET|TOKEN|PASS|PWD|CREDENTIAL|AUTH|PRIVATE|DSN|MNEMONIC|SEED/;

function exactProblem(name: string, value: string): string | null {
  if (NOT_A_KEY.test(name)) return 'a setting, not a key for the store';
  if (value === '') return 'it has no value';
  const kind = classifyValue(value);
  if (kind === 'placeholder') return 'a placeholder, not a key';
  if (kind === 'encrypted') return 'encrypted: open that file with --store and run keys migrate';
  const isNoKey = kind === 'no' && !SECRET_NAME.test(name);
  return valueProblem(name, value) ?? (isNoKey ? 'it does not look like a key' : null);
}

class Findings {
  readonly candidates: Candidate[] = [];
  readonly skipped: Skipped[] = [];

  skip(name: string | null, line: number, reason: string): void {
    this.skipped.push({ name: name !== null && isKeyName(name) ? name : null, line, reason });
  }

  /** `NAME=value`: the name is taken as it stands. */
  exact(name: string, value: string, line: number): void {
    const reason = exactProblem(name, value);
    if (reason !== null) this.skip(name, line, reason);
    else this.candidates.push({ name, number: null, origin: 'exact', value, line });
  }

  /** @returns whether the label and the value were taken for a key, or reported as none */
  labelled(labelText: string, heading: string, value: string, line: number): boolean {
    const own = readLabel(labelText);
    const label = own.isGeneric && heading !== '' ? readLabel(`${heading} ${labelText}`) : own;
    const kind = classifyValue(value);
    const saysKey = (label.saysKey || label.isPoolFamily) && !label.saysOther;
    const name =
      label.base === '' || label.isGeneric ? (familyOfValue(value) ?? label.base) : label.base;
    if (kind === 'placeholder' && saysKey) {
      this.skip(name, line, 'a placeholder, not a key');
      return true;
    }
    const isKey =
      kind === 'known' ||
      (kind === 'likely' && !label.saysOther) ||
      (kind === 'possible' && saysKey);
    if (!isKey) {
      if (saysKey && labelText.length <= 60)
        this.skip(name, line, 'what follows the label is not a key');
      return saysKey;
    }
    if (!isKeyName(name)) {
      this.skip(
        null,
        line,
        'a key without a label: say whose it is, for instance "DeepSeek API: …"',
      );
      return true;
    }
    const problem = valueProblem(name, value);
    if (problem === null) {
      this.candidates.push({ name, number: label.number, origin: 'labelled', value, line });
    } else this.skip(name, line, problem);
    return true;
  }
}

const unquote = (text: string): string =>
  text.replace(/^[\s"'`“”„<«*|]+/, '').replace(/[\s"'`“”„>»*|,;]+$/, '');

const ENV_LINE = /^\s*(?:export\s+|set\s+|\$env:)?([A-Z][A-Z0-9_]{0,63})\s*=\s*(.*)$/;

/** The value of a `NAME=` line: quotes and a comment behind it go. Null: it goes on further down. */
function envValue(rest: string): string | null {
  const quote = /^(["'`])/.exec(rest)?.[1];
  if (quote === undefined) return rest.replace(/\s+#.*$/, '').trim();
  const end = rest.indexOf(quote, 1);
  return end === -1 ? null : rest.slice(1, end);
}

/** `label SEPARATOR value`, the last separator that leaves one token; or a token that needs none. */
function splitLabelled(line: string): { label: string; value: string } | null {
  const tokens = line.split(/\s+|\|/).filter((token) => token !== '');
  for (const token of tokens) {
    // A vendor's prefix stands out, whatever is around it.
    const isWhole = classifyValue(unquote(token)) === 'known';
    const [, glued = '', rest = token] = (isWhole ? null : /^(.*?[:=])(.+)$/.exec(token)) ?? [];
    const value = unquote(rest);
    if (classifyValue(value) !== 'known') continue;
    const label = line.slice(0, line.indexOf(token)) + glued;
    return { label: label.replace(/[\s:=|>→-]+$/, ''), value };
  }
  const match = /^(.*?)\s*(?::|=|->|→|\t|\|)\s*(.*)$/.exec(line.replace(/^\s*\|/, ''));
  if (match === null) return null;
  const [, label = '', rest = ''] = match;
  const [first = '', ...others] = unquote(rest).split(/\s+/);
  // A remark may follow a key, not the other way round.
  const isRemarked = others.length > 0 && /^(?:#|\(|\/\/|--?|–|—|\|)/.test(others[0] ?? '');
  const value =
    isRemarked || classifyValue(unquote(first)) === 'likely' ? unquote(first) : unquote(rest);
  return { label, value };
}

/** What names the keys below it: marked as a heading, or so short that it can be nothing else. */
function isHeading(line: string): boolean {
  if (/^\s*(?:#+\s|\[[^\]]+\]\s*$|=+\s)/.test(line)) return true;
  const text = stripDecoration(line);
  if (text.endsWith(':')) return true;
  const { isPoolFamily, saysKey } = readLabel(text);
  const most = isPoolFamily || saysKey ? 5 : 3;
  return text !== '' && text.split(/\s+/).length <= most && !/[.!?:=]/.test(text);
}

function parseLines(lines: readonly string[]): ParsedImport {
  const findings = new Findings();
  let heading = '';
  let openQuote: { name: string; quote: string; line: number } | null = null;
  for (const [index, line] of lines.entries()) {
    const at = index + 1;
    if (openQuote !== null) {
      if (!line.includes(openQuote.quote)) continue;
      findings.skip(openQuote.name, openQuote.line, 'it has more than one line');
      openQuote = null;
      continue;
    }
    if (line.trim() === '') continue;
    const env = ENV_LINE.exec(line);
    if (env !== null) {
      const [, name = '', rest = ''] = env;
      const value = envValue(rest);
      if (value === null) openQuote = { name, quote: rest.charAt(0), line: at };
      else findings.exact(name, value, at);
      continue;
    }
    heading = parseTextLine(findings, line, heading, at);
  }
  if (openQuote !== null)
    findings.skip(openQuote.name, openQuote.line, 'its quote is never closed');
  return findings;
}

/** @returns the heading that holds for the next line */
function parseTextLine(findings: Findings, line: string, heading: string, at: number): string {
  const bare = unquote(stripDecoration(line));
  const kind = classifyValue(bare);
  if (kind === 'known' || (kind === 'likely' && (heading !== '' || familyOfValue(bare) !== null))) {
    findings.labelled('', heading, bare, at);
    return heading;
  }
  const parts = splitLabelled(line);
  const isComment = /^\s*(?:#|\/\/|;)/.test(line);
  if (parts !== null && parts.value !== '') {
    const exact = stripDecoration(parts.label);
    if (isKeyName(exact) && exact.includes('_')) findings.exact(exact, parts.value, at);
    // A commented-out key is still somebody's key, but its owner took it out of use.
    else if (!(isComment && classifyValue(parts.value) !== 'known')) {
      findings.labelled(parts.label, heading, parts.value, at);
    }
    return heading;
  }
  return isHeading(line) ? stripDecoration(line).replace(/^\[|\]$|[:=\s]+$/g, '') : heading;
}

const NAME_FIELDS = ['name', 'label', 'title', 'id'];
const VALUE_FIELDS = ['value', 'key', 'secret', 'token', 'api_key', 'apiKey'];

function textField(value: JsonObject, fields: readonly string[]): string | null {
  const found = fields.map((field) => value[field]).find((item) => typeof item === 'string');
  return typeof found === 'string' ? found : null;
}

/** `[["DEEPSEEK_API_KEY"], "sk-…"]` for every text in the tree, whatever its depth. */
function* jsonTexts(
  value: unknown,
  path: readonly string[],
): Generator<readonly [readonly string[], string]> {
  if (typeof value === 'string') yield [path, value.trim()];
  else if (Array.isArray(value)) {
    for (const item of value) yield* jsonTexts(item, path);
  } else if (isRecord(value)) {
    const name = textField(value, NAME_FIELDS);
    const secret = textField(value, VALUE_FIELDS);
    if (name !== null && secret !== null) yield [[name], secret.trim()];
    else
      for (const [field, item] of Object.entries(value)) yield* jsonTexts(item, [...path, field]);
  }
}

function parseJson(json: unknown): ParsedImport {
  const findings = new Findings();
  for (const [path, value] of jsonTexts(json, [])) {
    const own = path.at(-1) ?? '';
    if (isKeyName(own)) findings.exact(own, value, 0);
    else findings.labelled(path.join(' '), '', value, 0);
  }
  return findings;
}

/**
 * @returns null when the text is JSON that does not parse, or holds a name twice
 */
export function parseImport(text: string): ParsedImport | null {
  const clean = text.replace(/^\uFEFF/, '');
  const trimmed = clean.trim();
  const looksLikeJson = trimmed.startsWith('{') || /^\[\s*["{[\]]/.test(trimmed);
  if (!looksLikeJson) return parseLines(clean.split(/\r\n|\r|\n/));
  try {
    return duplicateKey(trimmed) === null ? parseJson(JSON.parse(trimmed)) : null;
  } catch {
    return null;
  }
}
