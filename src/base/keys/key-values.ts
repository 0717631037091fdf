/**
 * What a key's value may be: its form at each provider, what is a placeholder, what is wrapped
 * around it. Defined here alone, for the store, the environment, the importer and the API. Pure.
 */

import type { Provider } from '../errors.ts';
import { trimEnd } from '../text/trim.ts';
import { providerOf } from './key-names.ts';

/** Characters of any secret in the store. */
const LONGEST_VALUE = 8_192;
/** Characters of a pool key: it travels in an HTTP header, and no provider's key is near this. */
const LONGEST_POOL_VALUE = 1_024;
/** White space, control, format (zero-width), private and unassigned characters. */
const UNUSABLE = /[\s\p{C}]/u;

interface Form {
  /** What the provider gives out. */
  readonly own: RegExp;
  /** The provider's prefix on something of another length: older, newer, or a gateway's. */
  readonly near: RegExp;
}

/** DeepSeek: `sk-` and 32 hex digits. Perplexity: `pplx-` and 48 letters and digits. */
const FORMS: Readonly<Record<Provider, Form>> = {
  deepseek: { own: /^sk-[0-9a-f]{32}$/, near: /^sk-[A-Za-z0-9_-]{17,}$/ },
  perplexity: { own: /^pplx-[A-Za-z0-9]{48}$/, near: /^pplx-[A-Za-z0-9_-]{15,}$/ },
};

/** Prefixes that tell whose key it is. The first that fits counts; `sk-` alone is nobody's. */
const VENDORS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^pplx-/, 'Perplexity'],
  [/^sk-ant-/, 'Anthropic'],
  [/^sk-or-/, 'OpenRouter'],
  [/^sk-(?:proj|svcacct|admin|None)-/, 'OpenAI'],
  [/^sk-(?:lf|pk-lf)-/, 'Langfuse'],
  [/^gsk_/, 'Groq'],
  [/^csk-/, 'Cerebras'],
  [/^xai-/, 'xAI'],
  [/^nvapi-/, 'NVIDIA'],
  [/^(?:AIza|AQ\.|ya29\.)/, 'Google'],
  [/^(?:ghp_|gho_|ghu_|ghs_|ghr_|github_pat_)/, 'GitHub'],
  [/^(?:glpat-|gldt-)/, 'GitLab'],
  [/^hf_/, 'Hugging Face'],
  [/^(?:AKIA|ASIA)[A-Z0-9]{12,}/, 'AWS'],
  [/^xox[abeoprs]-/, 'Slack'],
  [/^npm_/, 'npm'],
  [/^pypi-/, 'PyPI'],
  [/^r8_/, 'Replicate'],
  [/^tvly-/, 'Tavily'],
  [/^fc-[0-9a-f]{32}/, 'Firecrawl'],
  [/^jina_/, 'Jina'],
  [/^fw_/, 'Fireworks'],
  [/^tgp_v1_/, 'Together'],
  [/^pa-[A-Za-z0-9_-]{30,}/, 'Voyage'],
  [/^(?:sk|rk|pk)_(?:live|test)_/, 'Stripe'],
  [/^SG\.[\w-]{16,}/, 'SendGrid'],
  [/^dop_v1_/, 'DigitalOcean'],
  [/^(?:lin_api_|secret_|ntn_|figd_|shpat_|dckr_pat_)/, 'another service'],
  [/^kpm1_/, 'this program (a master key)'],
];

/** Whose key it is by its prefix, for a sentence; null where the form does not say. */
export function vendorOf(value: string): string | null {
  return VENDORS.find(([prefix]) => prefix.test(value))?.[1] ?? null;
}

/** How well a value fits a provider. `foreign`: its prefix is somebody else's. */
export type ValueFit = 'own' | 'near' | 'foreign' | 'unknown';

export function valueFitOf(provider: Provider, value: string): ValueFit {
  const form = FORMS[provider];
  if (form.own.test(value)) return 'own';
  const vendor = vendorOf(value);
  if (provider === 'perplexity') {
    if (vendor === 'Perplexity') return form.near.test(value) ? 'near' : 'unknown';
    return vendor !== null || value.startsWith('sk-') ? 'foreign' : 'unknown';
  }
  if (vendor !== null) return 'foreign';
  return form.near.test(value) ? 'near' : 'unknown';
}

/** Left open by a template or a client: `${X}`, `$X`, `%X%`, `{{x}}`, `<your key>`. */
const UNEXPANDED =
  /^(?:<[^<>]*>|\$\{[^}]*\}|\$\([^)]*\)|\$(?:env:)?[A-Za-z_]\w*|%\w+%|%\(\w+\)s|\$?\{\{.*\}\}|\{[A-Za-z_]\w*\}|\[[A-Za-z][^\]]*\]|__\w+__)$/;
const PLACEHOLDER =
  /^(?:your[_-].*|.*[_-]here|change[_-]?me|replace[_-]?me|x{3,}|\*{3,}|\.{3}|todo|none|null|undefined)$/i;

/** True for a setting that nobody filled in. For keys ask `isPlaceholder`, which knows more. */
export function isUnset(text: string): boolean {
  return text === '' || UNEXPANDED.test(text) || PLACEHOLDER.test(text);
}

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** A value of one such word, with or without a number, is an example: `dummy`, `EMPTY`, `key1`. */
const EXAMPLES = wordSet(
  'key keys apikey secret token password dummy empty none null nil undefined example sample placeholder string ' +
    'value redacted hidden removed na no yes true false todo tbd fixme foo bar baz foobar changeme',
);
/** Words that ask somebody to put a key there … */
const REQUESTS = wordSet(
  'your insert replace change changeme paste enter put add set here goes provided example placeholder todo fixme ' +
    'required optional redacted xxx dein deine deinen ihr ihre ihren hier einfügen einfuegen eintragen ersetzen ' +
    'votre ton ta ici remplacez insérez tu su aquí aqui reemplaza sua seu coloque insira tua tuo qui inserisci ' +
    'twój twoj wstaw jouw hier',
);
/** … and what else such a request is made of. */
const AROUND = wordSet(
  'my the a an api apikey key keys token secret password pass me user value with from real actual own is this ' +
    'deepseek perplexity pplx openai anthropic sk gsk xoxb tvly nvapi xai hf ghp glpat or ant proj v it dummy fake not needed in of for to with ' +
    'schlüssel schluessel clé cle clave chave chiave klucz sleutel de du la le o por di da',
);

const isFiller = (word: string): boolean => /^(?:([xX0*.•#?])\1*|…+)$/.test(word);

/** `1234567890abcdef…`, `abcdefgh…`: each character follows the one before it. */
function isSequence(text: string): boolean {
  if (text.length < 6) return false;
  let steps = 0;
  for (let at = 1; at < text.length; at++) {
    const [before, here] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
    const wraps = /[9fz0]/i.test(text.charAt(at - 1)) && /[01a]/i.test(text.charAt(at));
    if (here === before + 1 || wraps) steps++;
  }
  return steps >= (text.length - 1) * 0.9;
}

const HEX_WORDS =
  /^(?:dead|beef|cafe|babe|face|feed|fade|fee1|f00d|d00d|c0de|bead|deed|c0ffee|facade|decade|bad|0dd)+$/;
/** Of a unit that is typed again and again. */
const LONGEST_UNIT = 8;

/** The shortest text that gives the whole when it is repeated; the text itself where none does. */
function unitOf(text: string): string {
  for (let size = 1; size <= LONGEST_UNIT; size++) {
    const unit = text.slice(0, size);
    if (unit.repeat(Math.ceil(text.length / size)).slice(0, text.length) === text) return unit;
  }
  return text;
}

/** `a`, `1234`, `dcba`: one character, or each one step from the one before. */
function isRun(unit: string): boolean {
  const codes = [...unit].map((character) => character.charCodeAt(0));
  const steps = new Set(codes.slice(1).map((code, at) => code - (codes[at] ?? 0)));
  return steps.size === 0 || (steps.size === 1 && (steps.has(1) || steps.has(-1)));
}

/**
 * Of a provider's exact form, and typed by a person to show that form: `aaaa…`, `12341234…`,
 * `deadbeef…`, `fedcba98…`, `00112233…`. A unit in disorder may be a key that a test made up.
 */
function isTyped(text: string): boolean {
  const form = /^(?:sk-([0-9a-f]{32})|pplx-([a-z0-9]{48}))$/.exec(text.toLowerCase());
  const body = form?.[1] ?? form?.[2];
  if (body === undefined) return false;
  return (
    isRun(unitOf(body)) ||
    HEX_WORDS.test(body) ||
    isSequence([...body].reverse().join('')) ||
    isSequence(body.replace(/(.)\1/g, '$1'))
  );
}

/** An example, a template, something cut short or blacked out: never a key. */
export function isPlaceholder(text: string): boolean {
  if (isUnset(text)) return true;
  // Cut short or blacked out by somebody who did not want to show it.
  if (/^(?:\.{3}|…)|(?:\.{3}|…)$|^\w{2,5}-.*(?:\.{3}|…)|\*{3}|•{2}|x{8}/i.test(text)) return true;
  // Amazon's own examples.
  if (/EXAMPLE(?:KEY)?$/.test(text)) return true;
  const body = text.replace(/^(?:sk-(?:proj-|ant-|or-v1-)?|pplx-|gsk_|hf_|ghp_)/i, '');
  if (isSequence(body) || isTyped(text)) return true;
  const words = body
    .toLowerCase()
    .split(/[^\p{L}\p{N}*•#?]+/u)
    .filter((word) => word !== '')
    .map((word) => word.replace(/(?<=\D)\d{1,2}$/, ''));
  if (words.length > 0 && words.every(isFiller)) return true;
  if (words.length === 1 && body === text) return EXAMPLES.has(words[0] ?? '');
  const isAllWords = words.every(
    (word) =>
      REQUESTS.has(word) ||
      AROUND.has(word) ||
      isFiller(word) ||
      /^\d{1,2}$/.test(word) ||
      isSequence(word),
  );
  return isAllWords && words.some((word) => REQUESTS.has(word));
}

const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '„': '“',
  '‘': '’',
  '«': '»',
};

function withoutQuotes(text: string): string {
  const closing = QUOTES[text.charAt(0)];
  const isQuoted = closing !== undefined && text.length >= 2 && text.endsWith(closing);
  return isQuoted ? text.slice(1, -1).trim() : text;
}

/** Brackets, quotes, `NAME=`, `Bearer`, and the punctuation of a list or a sentence. */
const BEFORE =
  /^(?:(?:export\s+|set\s+|\$env:)?[A-Za-z_][\w.-]*\s*(?:=|:)\s*|Bearer\s+|[\s"'`“„‘«<([{*|]+)/i;
/** A remark behind a provider's key: `sk-… # main`, `sk-… (work)`. */
const REMARK = /^((?:sk-|pplx-)[A-Za-z0-9_-]{8,}["'`”’»]?)(?:#|\s+(?:#|\/\/|--|\(|<!--)).*$/;
const AFTER = ' \t\r\n\u00a0"\'`”“’»>)]}*|,;.:!?';
/** Nobody wraps a key in more than this: `export KEY="Bearer <sk-…>"` has five. */
const MOST_WRAPPINGS = 8;

/**
 * The value without what people copy along with it. A value with a provider's prefix is freed of
 * everything; of any other only quotes come off, because a secret may begin and end in anything.
 */
export function unwrapValue(text: string): string {
  const plain = withoutQuotes(text.trim());
  let core = plain;
  for (let layer = 0; layer < MOST_WRAPPINGS; layer++) {
    core = trimEnd(core.replace(BEFORE, '').replace(REMARK, '$1'), AFTER);
  }
  const isProviders = /^(?:sk-|pplx-)[A-Za-z0-9_-]{8,}$/.test(core);
  return isProviders ? core : plain;
}

/** Several keys in one text: by commas, semicolons, white space, or `\n` as somebody typed it. */
export function splitValues(text: string): string[] {
  return text
    .split(/(?:\\[nrt]|[\s,;|，；、])+/)
    .map(unwrapValue)
    .filter((part) => part !== '');
}

/** A key goes into a header only if nothing in it could end or split that header. */
export function isSendable(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value) && value.length <= LONGEST_POOL_VALUE;
}

/** Why a value that somebody just gave is not taken. The store keeps an odd one it has already. */
export function givenProblem(name: string, value: string): string | null {
  return isPlaceholder(value) && value !== ''
    ? 'it is a placeholder, not a key'
    : valueProblem(name, value);
}

/** Why a value cannot be a key of that name, in our words; null when it can. */
export function valueProblem(name: string, value: string): string | null {
  if (value === '') return 'it is empty';
  if (/[\r\n]/.test(value)) return 'it has more than one line';
  if (/\s/.test(value)) return 'it contains a space';
  if (UNUSABLE.test(value)) return 'it contains an invisible character';
  if (value.length > LONGEST_VALUE) return `it is longer than ${LONGEST_VALUE} characters`;
  const provider = providerOf(name);
  if (provider === null) return null;
  if (isPlaceholder(value)) return 'it is a placeholder, not a key';
  if (/[^\x21-\x7e]/.test(value)) return 'it contains a character outside ASCII';
  if (value.length > LONGEST_POOL_VALUE) {
    return `it is longer than ${LONGEST_POOL_VALUE} characters, and no key of this provider is`;
  }
  if (/[,;]/.test(value)) return 'it holds several values';
  if (valueFitOf(provider, value) !== 'foreign') return null;
  const vendor = vendorOf(value);
  return vendor === null
    ? 'its form is that of another provider'
    : `by its form it is a key of ${vendor}`;
}
