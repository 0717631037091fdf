/**
 * Which run of a secret's characters tells something of it. The words in a test key
 * (`sk-deepseek-test-1`) do not: they stand in any text.
 */

/** A run of fewer different characters is a line, a row of zeros, a border. */
const FEWEST_CHARACTERS = 4;

const isUpper = (character: string): boolean => character >= 'A' && character <= 'Z';
const isLower = (character: string): boolean => character >= 'a' && character <= 'z';

/** `camelCase` and `PascalCase`: each capital begins a word of three letters or more. */
function isHumped(word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    const isHump = isLower(word.charAt(at + 1)) && isLower(word.charAt(at + 2));
    if (isUpper(word.charAt(at)) && !isHump) return false;
  }
  return true;
}

/** Letters between punctuation; beside a digit they are part of something random. */
function isWord(token: string): boolean {
  if (!/^[A-Za-z]*$/.test(token)) return false;
  return token === token.toUpperCase() || isHumped(token);
}

function hasFew(text: string, start: number, end: number): boolean {
  let seen = '';
  for (let at = start; at < end && seen.length < FEWEST_CHARACTERS; at++) {
    if (!seen.includes(text.charAt(at))) seen += text.charAt(at);
  }
  return seen.length < FEWEST_CHARACTERS;
}

/**
 * For every place of `secret`: whether the run of `length` that begins there tells something. A run
 * of words and what stands between them does not, nor does one of few different characters.
 */
export function tellingRuns(secret: string, length: number): Uint8Array {
  const isTold = new Uint8Array(Math.max(0, secret.length - length + 1));
  for (const { index, 0: token } of secret.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (isWord(token)) continue;
    isTold.fill(1, Math.max(0, index - length + 1), index + token.length);
  }
  return isTold.map((value, at) => (value === 1 && !hasFew(secret, at, at + length) ? 1 : 0));
}
