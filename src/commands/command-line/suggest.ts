/** "Did you mean": the nearest of the words that there are. Pure. */

/** How many letters have to be typed anew, left out, put in or swapped with their neighbour. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const here = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const steps = [
        (last[column] ?? 0) + 1,
        (here[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      ];
      if (isSwapped) steps.push((before[column - 2] ?? 0) + 1);
      here.push(Math.min(...steps));
    }
    before = last;
    last = here;
  }
  return last[other.length] ?? one.length;
}

/**
 * The word that was probably meant; null when none is near. Only what it returns may be shown: what
 * was typed may be a key that landed in the wrong place.
 */
export function nearest(typed: string, known: readonly string[]): string | null {
  if (typed.length > 40) return null;
  const word = typed.toLowerCase();
  const [best] = known
    .map((each) => {
      const isBeginning = word.length >= 2 && each.startsWith(word);
      return { each, far: isBeginning ? 0.5 : distance(word, each) };
    })
    .filter(({ each, far }) => far <= Math.max(1, Math.floor(each.length / 3)))
    .sort((a, b) => a.far - b.far);
  return best?.each ?? null;
}
