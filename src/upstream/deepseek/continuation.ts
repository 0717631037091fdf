/**
 * Whether text goes on from a beginning. Servers that know no prefix answer from the start, repeat
 * the last line, or greet first: glued together that is nonsense. A doubt costs a new start, and
 * nothing else.
 */

/** So much of an addition tells whether it goes on. */
export const TELLING_CHARS = 240;
/** Text repeated by chance is shorter; of a line that broke off, less is telling. */
const LEAST_REPEAT = 24;
const LEAST_OF_LINE = 2;

function isFence(line: string): boolean {
  return line.startsWith('```') || line.startsWith('~~~');
}

/** The fence that a text leaves open, or null. */
function openFence(text: string): string | null {
  let open: string | null = null;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (!isFence(line)) continue;
    if (open === null) open = line;
    else if (/^[`~]+$/.test(line)) open = null;
  }
  return open;
}

/** Inside a block that is open, a fence that tells a language begins the answer anew. */
function opensAnew(beginning: string, addition: string): boolean {
  const open = openFence(beginning);
  // A Markdown file holds fences of its own.
  if (open === null || /^[`~]+(?:md|markdown|mdx)/i.test(open)) return false;
  const fence = addition
    .split('\n')
    .find((line) => isFence(line.trim()))
    ?.trim();
  return fence !== undefined && /^[`~]{3,}[a-z]/i.test(fence);
}

function sharedHead(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

/** Says the first words again. */
function repeatsHead(beginning: string, addition: string): boolean {
  const [old, fresh] = [beginning.trimStart(), addition.trimStart()];
  const shared = sharedHead(old, fresh);
  const whole = Math.min(old.length, fresh.length);
  return shared >= LEAST_REPEAT || (shared === whole && shared >= 8);
}

/** Says the last line again, which was broken off in the middle. */
function repeatsTail(beginning: string, addition: string): boolean {
  const line = beginning.slice(beginning.lastIndexOf('\n') + 1).trim();
  return line.length >= LEAST_OF_LINE && /\w/.test(line) && addition.trimStart().startsWith(line);
}

/** Opens a block in the middle of a line, as nobody does who goes on from there. */
function opensInMidLine(beginning: string, addition: string): boolean {
  const line = beginning.slice(beginning.lastIndexOf('\n') + 1);
  return line.trim() !== '' && /^(?:`{3,}|~{3,})[a-z]/i.test(addition);
}

/** @param addition what came, as far as it has come; `TELLING_CHARS` of it are enough */
export function goesOn(beginning: string, addition: string): boolean {
  return !(
    repeatsHead(beginning, addition) ||
    repeatsTail(beginning, addition) ||
    opensAnew(beginning, addition) ||
    opensInMidLine(beginning, addition)
  );
}
