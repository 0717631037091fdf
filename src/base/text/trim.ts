/** Trimming by hand: an expression that is anchored at the end alone tries again at every place. */

/** `text` without those of `characters` that it ends in. */
export function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
