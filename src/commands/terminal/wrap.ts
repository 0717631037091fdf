/** Text in lines that fit. */

const USUAL_WIDTH = 80;

/**
 * Columns of the terminal, or of the usual one where it does not say: some have a width of 0.
 *
 * @param elsewhere for what is not a terminal
 */
export function terminalColumns(elsewhere: number = USUAL_WIDTH): number {
  const { columns } = process.stdout;
  if (columns === undefined) return elsewhere;
  return columns > 0 ? columns : USUAL_WIDTH;
}

/** Words in lines of at most `width` columns; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    const isFirst = last === undefined || last === '';
    if (!isFirst && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Below this nothing reads well: a long beginning leaves a line that does not fit. */
const NARROWEST = 24;

/**
 * A text behind its beginning; what does not fit goes on below itself, and what fits stays as it is.
 *
 * @param columns of the terminal; a program that reads gets whole lines
 */
export function hanging(
  start: string,
  text: string,
  columns: number = terminalColumns(Number.POSITIVE_INFINITY),
): string {
  const room = Math.max(NARROWEST, columns - start.length);
  if (text.length <= room) return start + text;
  return wrap(text, room)
    .map((part, at) => `${at === 0 ? start : ' '.repeat(start.length)}${part}`)
    .join('\n');
}
