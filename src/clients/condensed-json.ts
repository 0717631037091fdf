/**
 * A large file of plain JSON without the values that nobody here looks into. Claude Code keeps
 * megabytes of history beside its servers; a syntax tree of that takes seconds and half a gigabyte.
 */

/** Values under this many characters are left in. */
const SMALL = 32 * 1024;
const LARGE_FILE = 256 * 1024;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The values of the outer object, in order. The text is known to be plain JSON. */
function* outerValues(text: string): Generator<Span> {
  let depth = 0;
  let name = '';
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && start === -1) name = text.slice(at + 1, end - 1);
      at = end - 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && depth === 1) start = at + 1;
    if (start !== -1 && ((character === ',' && depth === 1) || depth === 0)) {
      yield { name, start, end: at };
      start = -1;
    }
  }
}

function isPlainJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A text that stands for a value taken out, and nowhere else in the file. */
function markFor(text: string): (index: number) => string {
  let stem = 'keypool-mcp-taken-out';
  while (text.includes(stem)) stem += '-';
  return (index) => `"${stem}#${index}#"`;
}

/**
 * Edits the text with large foreign values taken out, and puts them back to the letter. A small
 * file, and one that is not plain JSON, is edited as it is.
 *
 * @param kept a member that is left in, whatever its size
 */
export function editCondensed(text: string, kept: string, edit: (text: string) => string): string {
  if (text.length < LARGE_FILE || !isPlainJson(text)) return edit(text);
  const markOf = markFor(text);
  const takenOut: string[] = [];
  const pieces: string[] = [];
  let copied = 0;
  for (const { name, start, end } of outerValues(text)) {
    if (end - start < SMALL || name === kept) continue;
    const value = text.slice(start, end).trim();
    const from = text.indexOf(value, start);
    pieces.push(text.slice(copied, from), markOf(takenOut.length));
    takenOut.push(value);
    copied = from + value.length;
  }
  const before = pieces.join('') + text.slice(copied);
  const after = edit(before);
  if (after === before) return text;
  let whole = '';
  let read = 0;
  for (const [index, value] of takenOut.entries()) {
    const at = after.indexOf(markOf(index), read);
    whole += after.slice(read, at) + value;
    read = at + markOf(index).length;
  }
  return whole + after.slice(read);
}
