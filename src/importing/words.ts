/** From what a person wrote beside a key to the name it gets. Pure. */

/** Words that say "a key follows" and nothing about whose. */
const KEY_WORDS = new Set([
  'api',
  'apikey',
  'key',
  'keys',
  'secret',
  'token',
  'password',
  'passwort',
  'passphrase',
  'pass',
  'pwd',
  'credential',
  'credentials',
  'access',
  'private',
  'schlüssel',
  'schluessel',
  'clé',
  'clave',
  'ключ',
]);
/** Words that say "what follows describes something else". */
const OTHER_WORDS = new Set([
  'url',
  'endpoint',
  'host',
  'port',
  'model',
  'version',
  'limit',
  'balance',
  'price',
  'email',
  'mail',
  'user',
  'username',
  'login',
  'date',
  'expires',
  'expiry',
  'renewed',
  'created',
  'docs',
  'note',
  'notes',
  'comment',
  'todo',
  'region',
  'website',
  'link',
  'phone',
  'plan',
  'quota',
]);
/** Left out of a name: "my DeepSeek key for work" is DEEPSEEK_KEY to nobody. */
const FILLER = new Set([
  'my',
  'the',
  'is',
  'a',
  'an',
  'for',
  'of',
  'no',
  'nr',
  'number',
  'new',
  'value',
]);

export interface Label {
  /** The words as a name without number: DEEPSEEK_API_KEY, BYBIT_SECRET; empty when none is left. */
  readonly base: string;
  /** "DeepSeek API 2" → 2; null when it has none. */
  readonly number: number | null;
  /** A family that the pool serves: several of them are numbered. */
  readonly isPoolFamily: boolean;
  /** It says that a key follows. */
  readonly saysKey: boolean;
  /** It says that something else follows. */
  readonly saysOther: boolean;
  /** Only words like "API key": whose it is has to come from a heading. */
  readonly isGeneric: boolean;
}

/** Bullets, numbering and emphasis of Markdown; what stands in brackets is a remark. */
export function stripDecoration(text: string): string {
  return text
    .replace(/^[\s>|]+/, '')
    .replace(/^(?:[-*+•–—]\s+|#+\s*|\d{1,2}[.)]\s+|\[[ x]\]\s+)+/i, '')
    .replace(/[*`"“”„]|__+|^_|_$/g, '')
    .replace(/\((?!\s*\d+\s*\))[^)]*\)/g, ' ')
    .trim();
}

function wordsOf(text: string): string[] {
  return stripDecoration(text)
    .replace(/deep[\s_-]*seek/gi, 'deepseek')
    .replace(/([a-z])(?=(?:API|Api|Key|Secret|Token|Password|Pass)(?![a-z]))/g, '$1 ')
    .replace(/by[\s_-]bit/gi, 'bybit')
    .replace(/open[\s_-]ai/gi, 'openai')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function splitNumber(words: readonly string[]): { words: string[]; number: number | null } {
  const rest = [...words];
  const at = rest.findLastIndex((word) => /^\d{1,5}$/.test(word));
  if (at !== -1) {
    const [digits = ''] = rest.splice(at, 1);
    return { words: rest, number: Number(digits) };
  }
  // "DeepSeek2", "key3"
  const glued = /^([\p{L}]{3,})(\d{1,3})$/u.exec(rest.at(-1) ?? '');
  if (glued === null) return { words: rest, number: null };
  return { words: [...rest.slice(0, -1), glued[1] ?? ''], number: Number(glued[2]) };
}

const ascii = (word: string): string =>
  word
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase();

function poolFamily(words: readonly string[]): string | null {
  if (words.includes('deepseek')) return 'DEEPSEEK_API_KEY';
  return words.includes('perplexity') || words.includes('pplx') ? 'PERPLEXITY_API_KEY' : null;
}

export function readLabel(text: string): Label {
  const { words, number } = splitNumber(wordsOf(text));
  const lower = words.map((word) => word.toLowerCase());
  const saysKey = lower.some((word) => KEY_WORDS.has(word));
  const saysOther = lower.some((word) => OTHER_WORDS.has(word));
  const family = poolFamily(lower);
  const naming = words.filter((word) => !FILLER.has(word.toLowerCase()));
  const isGeneric = naming.every((word) => KEY_WORDS.has(word.toLowerCase()));
  const name = naming
    .map(ascii)
    .filter((word) => word !== '')
    .join('_');
  const isOnlyVendor = !saysKey || (naming.at(-1) ?? '').toLowerCase() === 'api';
  // "Bybit" and "Bybit API" alone are API keys; "Bybit Secret" says itself what it is.
  const suffix = saysKey ? '_KEY' : '_API_KEY';
  const base = family ?? (name === '' || !isOnlyVendor ? name : `${name}${suffix}`);
  return { base, number, isPoolFamily: family !== null, saysKey, saysOther, isGeneric };
}

/** The family that a key's own form tells, for keys without a label. */
export function familyOfValue(value: string): string | null {
  if (value.startsWith('pplx-')) return 'PERPLEXITY_API_KEY';
  return /^sk-[0-9a-f]{32}$/.test(value) ? 'DEEPSEEK_API_KEY' : null;
}
