/** Which run of a secret's characters tells something of it. Words do not: they stand in any text. */

/** Nobody writes so many characters of somebody's secret by chance. */
const LONG = 20;
/** A run of fewer different characters is a line, a row of zeros, a border. */
const FEWEST_CHARACTERS = 4;

const isUpper = (character: string): boolean => character >= 'A' && character <= 'Z';
const isLower = (character: string): boolean => character >= 'a' && character <= 'z';

/** `camelCase` and `PascalCase`: each capital begins a word of three letters or more. */
function isHumped(word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    if (!isUpper(word.charAt(at))) continue;
    if (at > 0 && isUpper(word.charAt(at - 1))) return false;
    const next = word.slice(at + 1, at + 3);
    if (![...next].every(isLower)) return false;
  }
  return true;
}

function isWord(word: string): boolean {
  return [...word].every(isLower) || [...word].every(isUpper) || isHumped(word);
}

/** False for runs like `deepseek-chat`, `TestServer` or `00000000` that a test key may hold. */
export function isTelling(run: string): boolean {
  if (new Set(run).size < FEWEST_CHARACTERS) return false;
  if (run.length >= LONG || /\d/.test(run)) return true;
  return !run.split(/[^A-Za-z]+/).every(isWord);
}
