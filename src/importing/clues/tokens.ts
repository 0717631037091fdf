/** Which pieces of a text look like secrets, by their own form. Pure. */

import { isPlaceholder, vendorOf } from '../../base/keys/key-values.ts';
import { trimEnd } from '../../base/text/trim.ts';
import { isIdentifier, isReference } from './references.ts';

/** A piece of a line that may be a secret. */
export interface Token {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Prefixes of keys; `sk-` is shared by many. */
const PREFIXED =
  /(?<![A-Za-z0-9_]|(?<!-)-)(?:sk-|pplx-|gsk_|csk-|xai-|hf_|ghp_|gho_|ghs_|github_pat_|glpat-|nvapi-|tvly-|AIza|AKIA|ASIA|xox[abeoprs]-|npm_|pypi-|r8_|jina_|fw_|[srp]k_(?:live|test)_|SG\.|dop_v1_|kpm1_|gAAAA)[A-Za-z0-9_.-]{8,8192}=*/g;
const EDGE = '-_.';

/** Model names begin as keys do: `pplx-70b-online`, `pplx-embed-v1`. */
const isModelName = (value: string): boolean =>
  /^(?:pplx|sk)-(?:[a-z]+|\d+b)(?:-[a-z0-9.]{1,8})*$/.test(value) && !/[0-9a-f]{12}/.test(value);

/** Tokens with a provider's prefix, wherever they stand in the text. */
export function prefixedTokens(text: string): Token[] {
  return [...text.matchAll(PREFIXED)].flatMap((match) => {
    const value = trimEnd(match[0], EDGE);
    const start = match.index;
    const isKey = value.length >= 12 && !isModelName(value) && !isPlaceholder(value);
    return isKey ? [{ value, start, end: start + value.length }] : [];
  });
}

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A password inside an address: `postgres://user:password@host`. */
export function hasPasswordInAddress(text: string): boolean {
  return /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,200}:[^\s/@]{3,200}@/i.test(text);
}

/** Whether what stands at `at` is part of an address. */
export function isInAddress(text: string, at: number): boolean {
  const word =
    text
      .slice(Math.max(0, at - LONGEST), at)
      .split(/\s/)
      .at(-1) ?? '';
  return word.includes('://');
}

function isPlainFact(token: string): boolean {
  return (
    ADDRESS.test(token) ||
    UUID.test(token) ||
    /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i.test(token) || // an e-mail address
    /^(?:\.{0,2}|~|[A-Za-z]:)[\\/]/.test(token) || // a path
    /^\d{1,4}[-/.:]\d{1,2}[-/.:]\d{1,4}/.test(token) || // a date, a time
    /^v?\d+(?:\.\d+)+\S{0,8}$/i.test(token) || // a version, an IP address
    /^[$€£¥]?[\d.,_\s]+[%$€£¥]?$/.test(token) || // a number, an amount
    /^\d+x\d+(?:x\d+)?$/.test(token) || // a resolution
    /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(token) || // the name of a variable
    /^[\w.-]+:\d{2,5}$/.test(token) || // host and port
    /^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|ai|dev|cn|local|json|ya?ml|toml|env|txt|md|[jt]s|py|sh|sock|pem|crt)$/i.test(
      token,
    )
  );
}

/** Long, without white space, letters and digits mixed: nothing that a person writes by hand. */
export function isOpaque(token: string): boolean {
  if (token.length < 16 || /[^\x21-\x7e]/.test(token) || isPlainFact(token)) return false;
  if (isPlaceholder(token)) return false;
  const runs = (token.match(/[A-Za-z0-9]{10,}/g) ?? []).filter((run) => !isIdentifier(run));
  return runs.some(
    (run) =>
      (/\d/.test(run) && /[A-Za-z]/.test(run) && !/^[a-z]+\d{1,4}$/i.test(run)) ||
      (run.length >= 20 && /[a-z][A-Z]/.test(run)),
  );
}

/** Whether a value that stands under a secret's name can be that secret. */
export function isUsableSecret(value: string): boolean {
  if (/\s/.test(value) || value.length < 6 || isPlaceholder(value) || isPlainFact(value)) {
    return false;
  }
  // `sk-proj-aaaa…`: one key held down.
  if (isReference(value) || /([A-Za-z0-9])\1{11}$/.test(value)) return false;
  if (/^(?:true|false|yes|no|on|off|auto|default|enabled|disabled)$/i.test(value)) return false;
  // A word is what a setting has; letters alone are a secret where both cases are mixed, or at length.
  return (
    /\d/.test(value) ||
    /[^A-Za-z]/.test(value.slice(1, -1)) ||
    /[a-z][A-Z]|^[A-Za-z]{16,}$/.test(value)
  );
}

/** `?key=…`: a path is no secret, a parameter of that name is. */
function addressTokens(piece: string, from: number): Token[] {
  const parameter = /[?&#][\w-]*(?:key|token|secret|auth|sig|pass)[\w-]*=([^&#]{12,})/gi;
  return [...piece.matchAll(parameter)].flatMap((match) => {
    const value = match[1] ?? '';
    const start = from + match.index + match[0].length - value.length;
    return isPlaceholder(value) ? [] : [{ value, start, end: start + value.length }];
  });
}

/** No secret in the store is longer, and no line of a person's is either. */
const LONGEST = 8_192;

/** What is outside ASCII ends a token, too: a label may stand right before it, or a wrong decoding. */
const WHITE_OR_MARK = /[\s"'`<>()[\]{}|,;]+|[^\x21-\x7e]+/g;

/** Every piece that looks like a secret: by its prefix, or because it is opaque. */
export function secretTokens(text: string): Token[] {
  const prefixed = prefixedTokens(text);
  const found = [...prefixed];
  let start = 0;
  const pieces = [...text.matchAll(WHITE_OR_MARK), null];
  for (const separator of pieces) {
    const end = separator?.index ?? text.length;
    const piece = text.slice(start, end);
    const isTaken =
      end - start > LONGEST || prefixed.some((token) => token.start < end && token.end > start);
    const at = piece.lastIndexOf('=', trimEnd(piece, '=').length - 1) + 1;
    const value = trimEnd(piece.slice(at), '.:!?');
    if (!isTaken && ADDRESS.test(piece)) found.push(...addressTokens(piece, start));
    else if (!isTaken && isOpaque(value)) {
      found.push({ value, start: start + at, end: start + at + value.length });
    }
    start = separator === null ? end : end + separator[0].length;
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Of an encrypted store, not a key itself. */
export function isEncrypted(value: string): boolean {
  return /^gAAAA[A-Za-z0-9_=-]{40,}$/.test(value) || value.startsWith('ENCRYPTED:');
}

/** For a reason: "a key of Groq", "what looks like a key". */
export function kindOf(value: string): string {
  if (isEncrypted(value)) return 'encrypted';
  const vendor = vendorOf(value);
  return vendor === null ? 'what looks like a key' : `a key of ${vendor}, by its form`;
}
