/** Is this token a key, or something that a person wrote beside one? Pure. */

/** Prefixes that vendors give their keys; with one of them a token needs no label to be a key. */
const KNOWN_PREFIX =
  /^(?:sk-|pplx-|gsk_|xai-|hf_|ghp_|gho_|github_pat_|glpat-|AIza|AKIA|xox[abprs]-|npm_|r8_|tvly-|nvapi-|rk_live_|sk_live_)[A-Za-z0-9_-]{8,}/;
const PLACEHOLDER =
  /^(?:<.*>|\$\{.*\}|your[_-].*|.*[_-]here|change[_-]?me|replace[_-]?me|x{3,}|\*{3,}|\.{3}|todo|none|null|undefined|sk-(?:x+|\.+|…)|pplx-(?:x+|\.+|…))$/i;

export type ValueClass =
  | 'known' // a vendor's prefix: a key wherever it stands
  | 'likely' // long and mixed: a key if nothing speaks against it
  | 'possible' // a key only if the label says so
  | 'placeholder'
  | 'encrypted' // a token of an encrypted store
  | 'no'; // an address, a date, a number, a word

function isAddress(token: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(token)) return !/\/\/[^/\s@]*:[^/\s@]+@/.test(token);
  return /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i.test(token) || /^(?:\.{0,2}|~)\//.test(token);
}

function isPlainFact(token: string): boolean {
  return (
    /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}/.test(token) || // a date
    /^v?\d+(?:\.\d+)+\S{0,8}$/i.test(token) || // a version, an IP address
    /^[$€£]?[\d.,_\s]+[%$€£]?$/.test(token) || // a number, an amount
    /^[\w.-]+:\d{2,5}$/.test(token) // host and port
  );
}

/** @param token without white space around it */
export function classifyValue(token: string): ValueClass {
  if (token === '' || /\s/.test(token) || token.length > 8192) return 'no';
  if (PLACEHOLDER.test(token)) return 'placeholder';
  if (/^gAAAA[A-Za-z0-9_=-]{60,}$/.test(token) || token.startsWith('ENCRYPTED:'))
    return 'encrypted';
  if (KNOWN_PREFIX.test(token)) return 'known';
  if (isAddress(token) || isPlainFact(token)) return 'no';
  const hasDigit = /\d/.test(token);
  const hasLetter = /\p{L}/u.test(token);
  if (token.length >= 20 && hasDigit && hasLetter) return 'likely';
  // Words end in words: letters alone are a key only where upper and lower case are mixed at length.
  const isMixed = /[a-z][A-Z]/.test(token) && token.length >= 16;
  return (hasDigit && hasLetter && token.length >= 8) || isMixed ? 'possible' : 'no';
}
