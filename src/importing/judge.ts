/** From a name or label and a value to a finding: sure, likely, or left alone. Pure. */

import { PROVIDER_NAMES, type Provider } from '../base/errors.ts';
import { FAMILIES } from '../base/keys/key-names.ts';
import {
  givenProblem,
  isPlaceholder,
  splitValues,
  unwrapValue,
  valueFitOf,
  vendorOf,
} from '../base/keys/key-values.ts';
import { isReference } from './clues/references.ts';
import {
  hasPasswordInAddress,
  isEncrypted,
  isOpaque,
  isUsableSecret,
  kindOf,
  prefixedTokens,
  secretTokens,
} from './clues/tokens.ts';
import type { Words } from './clues/words.ts';
import {
  isOwnSetting,
  namedSecret,
  readName,
  shownName,
  type WrittenName,
} from './clues/written-name.ts';
import { type ImportedKey, type ImportFinding, left } from './import-finding.ts';
import { withoutRemark } from './remark.ts';

const PLACEHOLDER = 'a placeholder, not a key';
const REFERENCE = 'it says where the key is, and is not the key';
const UNLIKE = 'its value does not look like a key';
const SHORT = 'it is short for a key';
const ENCRYPTED = 'encrypted: open that file with --store and run keys migrate';

/** Short, and yet no word: what some services give out. */
const MIXED = /^(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]{8,}$/;
/** A whole key of ours with something before or behind it: asked for, it would be stored with that. */
const HOLDS_OWN = /sk-[0-9a-f]{32}|pplx-[A-Za-z0-9]{48}/;

interface Key {
  readonly value: string;
  readonly line: number;
  readonly number?: number | null;
  /** Empty makes it sure. */
  readonly doubt: string;
}

/** A key for the pool, or why it is none after all. */
function poolKey(provider: Provider, key: Key): ImportFinding {
  const name = FAMILIES[provider];
  const { value, line, doubt } = key;
  const problem = givenProblem(name, value);
  if (problem !== null) return left(line, problem, name);
  const pile = doubt === '' ? 'sure' : 'likely';
  return { pile, line, name, isNumbered: true, number: key.number ?? null, value, reason: doubt };
}

function otherKey(name: string, key: Key, isNumbered: boolean): ImportFinding {
  const problem = givenProblem(name, key.value);
  if (problem !== null) return left(key.line, problem, name);
  const { value, line, doubt, number = null } = key;
  const pile = doubt === '' ? 'sure' : 'likely';
  return { pile, line, name, isNumbered, number, value, reason: doubt } satisfies ImportedKey;
}

/** What stands near an assignment and may speak against what its name says. */
export interface Surroundings {
  /** Another provider's address is set for this provider's keys: the key is that one's. */
  readonly isRedirected: (written: string) => boolean;
  /** The provider whose address is set beside a name that is not its own. */
  readonly addressed: (written: string) => Provider | null;
}

type PoolLike = Extract<WrittenName, { kind: 'pool' | 'alias' }>;

function doubtOf(name: PoolLike, written: string, fit: string, around: Surroundings): string {
  const provider = PROVIDER_NAMES[name.provider];
  if (fit === 'unknown') return `its form is not that of a ${provider} key`;
  if (around.isRedirected(written)) return 'an address of another provider is set beside it';
  return name.kind === 'alias' ? `its name is not ${FAMILIES[name.provider]}` : '';
}

function judgePoolValue(
  name: PoolLike,
  written: string,
  key: Omit<Key, 'doubt'>,
  around: Surroundings,
): ImportFinding {
  const { value, line } = key;
  const provider = PROVIDER_NAMES[name.provider];
  const shown = shownName(written);
  const fit = valueFitOf(name.provider, value);
  if (value === '') return left(line, 'it has no value', shown);
  if (isPlaceholder(value)) return left(line, PLACEHOLDER, shown);
  if (isEncrypted(value)) return left(line, ENCRYPTED, shown);
  if (fit === 'foreign') {
    return left(line, `${kindOf(value)}, under a ${provider} name`, shown);
  }
  if (fit === 'unknown' && isReference(value)) return left(line, REFERENCE, shown);
  if (fit === 'unknown' && HOLDS_OWN.test(value)) {
    return left(line, `more than a ${provider} key: take away what sticks to it`, shown);
  }
  if (fit === 'unknown' && (!isOpaque(value) || value.length < 20)) {
    return left(line, `its form is not that of a ${provider} key`, shown);
  }
  return poolKey(name.provider, { ...key, doubt: doubtOf(name, written, fit, around) });
}

/** `${NAME:-value}`, `${NAME:value}`: what holds where nobody set the variable is a key as well. */
function withoutFallback(raw: string): string {
  const value = /^\$\{[A-Za-z_][\w.]*(?::[-=]?|[-=])([^{}]+)\}$/.exec(raw.trim())?.[1] ?? '';
  return isOpaque(value) ? value : raw;
}

/** The values of a pool variable: every token with a prefix, or the whole text. */
function poolValues(raw: string): string[] {
  const tokens = prefixedTokens(raw).map((token) => token.value);
  return tokens.length > 0 ? tokens : [unwrapValue(withoutRemark(raw))];
}

/** `OPENAI_API_KEYS=one;two`: under one name they would be a key that nobody gave out. */
function holdsSeveral(value: string): boolean {
  return splitValues(value).filter((part) => vendorOf(part) !== null || isOpaque(part)).length > 1;
}

function judgeSecret(
  name: string,
  value: string,
  line: number,
  around: Surroundings,
): ImportFinding {
  const addressed = around.addressed(name);
  if (isPlaceholder(value)) return left(line, value === '' ? 'it has no value' : PLACEHOLDER, name);
  if (isEncrypted(value)) return left(line, ENCRYPTED, name);
  if (valueFitOf('perplexity', value) === 'own') {
    const doubt = 'its form is that of a Perplexity key, its name is not';
    return poolKey('perplexity', { value, line, doubt });
  }
  if (addressed !== null && ['own', 'near'].includes(valueFitOf(addressed, value))) {
    const doubt = `an address of ${PROVIDER_NAMES[addressed]} is set beside it`;
    return poolKey(addressed, { value, line, doubt });
  }
  if (isReference(value)) return left(line, REFERENCE, name);
  if (hasPasswordInAddress(value)) return left(line, 'an address with a password in it', name);
  if (holdsSeveral(value)) return left(line, 'it holds several values', name);
  if (/\s/.test(value)) return left(line, 'it contains a space', name);
  if (!isUsableSecret(value)) return left(line, UNLIKE, name);
  if (isOpaque(value) || (vendorOf(value) !== null && value.length >= 20)) {
    return otherKey(name, { value, line, doubt: '' }, false);
  }
  const named = namedSecret(name);
  const isMixed = MIXED.test(value);
  if (named === 'anything' && !isMixed) return left(line, UNLIKE, name);
  const isSure = named === 'made up' || (named === 'generated' && isMixed);
  return otherKey(name, { value, line, doubt: isSure ? '' : SHORT }, false);
}

function judgeSetting(written: string, raw: string, line: number): ImportFinding[] {
  if (isOwnSetting(written)) {
    const isEmpty = isPlaceholder(unwrapValue(raw));
    return isEmpty ? [] : [left(line, 'a setting of this program, not a key', shownName(written))];
  }
  if (hasPasswordInAddress(raw)) return [left(line, 'an address with a password in it')];
  const [token] = secretTokens(raw);
  if (token === undefined) return [];
  return [left(line, `${kindOf(token.value)}, under a name that does not say that it is one`)];
}

/** What a name says that surely is one; null for `key`, `password` and other words of a label. */
export type ExplicitName = Exclude<WrittenName, { kind: 'generic' | 'password' }>;

/**
 * @param written the name as it stands
 * @param text what stands for the value, its quotes taken off
 */
export function judgeNamed(
  written: string,
  name: ExplicitName,
  text: string,
  line: number,
  around: Surroundings,
): ImportFinding[] {
  const raw = withoutFallback(text);
  if (name.kind === 'setting') return judgeSetting(written, raw, line);
  if (name.kind === 'secret' && /^(?:DEEPSEEK|PERPLEXITY|PPLX)_.*(?:PASS|PWD)/.test(name.name)) {
    return [left(line, 'a password, not an API key', name.name)];
  }
  if (name.kind === 'secret') {
    // A command may follow: `NAME=value program`.
    const [first = '', ...others] = raw.split(/\s+/);
    const isFollowed = others.length > 0 && isOpaque(first) && !others.some(isOpaque);
    return [judgeSecret(name.name, unwrapValue(isFollowed ? first : raw), line, around)];
  }
  const values = poolValues(raw);
  return values.map((value, at) => {
    const number = at === 0 ? name.number : null;
    return judgePoolValue(name, written, { value, line, number }, around);
  });
}

/** A key that was taken out of use by a comment, or said to be old: still somebody's. */
export function judgeCommented(raw: string, line: number): ImportFinding[] {
  return secretTokens(raw).length === 0
    ? []
    : [left(line, 'in a comment: an old key? take it out of the comment to import it')];
}

export interface Labelled {
  readonly label: Words;
  /** The heading that holds for the line; null when there is none. */
  readonly heading: Words | null;
  /** Why the heading alone does not make it sure, in our words; empty when it stands right above. */
  readonly headingDoubt: string;
  readonly value: string;
  readonly line: number;
}

/** Where it is said that a key is out of use; null where it is not. A far heading only gives a doubt. */
function saysStale({ label, heading, headingDoubt }: Labelled): 'label' | 'heading' | null {
  if (label.saysStale) return 'label';
  return heading?.saysStale === true && headingDoubt === '' ? 'heading' : null;
}

function contradiction(words: Words): string {
  if (words.namesOther) return 'its label names another provider, too';
  if (words.saysPassword) return 'its label says that it is a password';
  return words.saysOther ? 'its label says something else, too' : '';
}

/** The label or heading names one of ours. */
function judgeForProvider(
  provider: Provider,
  found: Labelled,
  from: 'label' | 'heading',
): ImportFinding {
  const { label, heading, value, line } = found;
  const title = PROVIDER_NAMES[provider];
  const fit = valueFitOf(provider, value);
  if (fit === 'foreign') return left(line, `${kindOf(value)}, under a ${title} ${from}`);
  if (fit === 'unknown') return left(line, `its form is not that of a ${title} key`);
  if (from === 'heading' && (label.saysPassword || label.saysOther)) {
    return left(line, 'its label says that it is something else');
  }
  const doubts = [
    heading?.saysStale === true ? 'a heading above it says that it is out of use' : '',
    contradiction(label),
    from === 'heading' && heading !== null ? contradiction(heading) : '',
    from === 'heading' ? found.headingDoubt : '',
    fit === 'near' ? `its form is not quite that of a ${title} key` : '',
  ];
  const doubt = doubts.find((text) => text !== '') ?? '';
  const number = label.number ?? (from === 'heading' ? null : (heading?.number ?? null));
  return poolKey(provider, { value, line, number, doubt });
}

/** The provider among those named whose form the value has, or the first. */
function chosen(providers: ReadonlySet<Provider>, value: string): Provider | null {
  const [first = null] = providers;
  return [...providers].find((each) => valueFitOf(each, value) === 'own') ?? first;
}

/** Alibaba gives out keys of DeepSeek's form. */
const SAME_FORM = /ALIBABA|ALIYUN|DASHSCOPE|BAILIAN|QWEN|TONGYI/;

function doubtOfOther(name: string, value: string, isStrong: boolean): string {
  if (!isStrong) return SHORT;
  const isOurs = valueFitOf('deepseek', value) === 'own' && !SAME_FORM.test(name);
  return isOurs ? 'its form is that of a DeepSeek key, its label is not' : '';
}

/** What a program got when somebody logged in: it renews it by itself, and a copy is soon worth nothing. */
const LOGIN = /^(?:sk-ant-o[ar]t\d|ya29\.|gh[ou]_)/;

/** Nothing of ours is named: another vendor's name, or no label at all. */
function judgeForOthers(found: Labelled, name: string): ImportFinding {
  const { label, heading, value, line } = found;
  if (LOGIN.test(value)) return left(line, 'the login of a program, not an API key');
  if (name !== '' && !label.saysOther && vendorOf(value) !== 'Perplexity') {
    const isStrong = isOpaque(value) || vendorOf(value) !== null;
    if (isStrong || (label.saysKey && isUsableSecret(value) && value.length >= 8)) {
      const doubt = doubtOfOther(name, value, isStrong);
      return otherKey(name, { value, line, number: label.number, doubt }, true);
    }
  }
  if (label.namesOther || heading?.namesOther === true) {
    return left(line, `${kindOf(value)}, and another provider is named beside it`);
  }
  if (label.saysOther) return left(line, 'its label says that it is something else');
  if (valueFitOf('deepseek', value) === 'own') {
    const doubt = 'only its form says DeepSeek, and keys of Alibaba look the same';
    return poolKey('deepseek', { value, line, doubt });
  }
  if (vendorOf(value) === 'Perplexity' && valueFitOf('perplexity', value) === 'own') {
    return poolKey('perplexity', { value, line, doubt: 'only its form says Perplexity' });
  }
  return left(line, `${kindOf(value)}, without a label that says whose it is`);
}

/** A value beside words, or below them. */
export function judgeLabelled(found: Labelled): ImportFinding {
  const { label, heading, value, line } = found;
  if (isEncrypted(value)) return left(line, ENCRYPTED);
  if (isPlaceholder(value)) return left(line, PLACEHOLDER);
  const own = chosen(label.providers, value);
  if (own === null && label.saysPassword && !label.saysKey) {
    return left(line, 'a password, not an API key');
  }
  const stale = saysStale(found);
  if (stale !== null) {
    return left(
      line,
      `its ${stale} says that it is out of use: take those words away to import it`,
    );
  }
  if (own !== null) return judgeForProvider(own, found, 'label');
  const above = heading === null ? null : chosen(heading.providers, value);
  if (above !== null && !label.namesOther) return judgeForProvider(above, found, 'heading');
  const ownName = label.isGeneric ? '' : label.name;
  const generic = label.isGeneric && heading !== null && found.headingDoubt === '';
  return judgeForOthers(found, generic ? joinedName(heading, label) : ownName);
}

/** "Bybit" above "API Key: …" is BYBIT_API_KEY; "Bybit API keys" above a bare value as well. */
function joinedName(heading: Words, label: Words): string {
  if (heading.name === '' || heading.isGeneric) return '';
  if (label.count === 0) return heading.name;
  const vendor = heading.name.replace(/(?:_API)?_KEYS?$/, '');
  return label.name === '' ? heading.name : `${vendor}_${label.name}`;
}

/** The name as `readName` gives it, when it is explicit. */
export function explicitName(written: string): ExplicitName | null {
  const name = readName(written);
  return name.kind === 'generic' || name.kind === 'password' ? null : name;
}
