/** A command line → its words. No shell reads it: nothing is expanded, piped or redirected. */

const PART = /"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+)|(\s+)|(["'])/gsu;

/**
 * White space separates words. `'…'` is taken as it stands; in `"…"` a backslash keeps the next
 * quote or backslash; outside of quotes a backslash is itself, as paths of Windows need it.
 *
 * @returns null for a quote that is never closed
 */
export function splitWords(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (const [, double, single, bare, gap, open] of line.matchAll(PART)) {
    if (open !== undefined) return null;
    if (gap === undefined) {
      word = `${word ?? ''}${double?.replace(/\\(["\\])/g, '$1') ?? single ?? bare ?? ''}`;
    } else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  return word === null ? words : [...words, word];
}
