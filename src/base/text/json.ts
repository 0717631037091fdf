/** Reading foreign JSON without trusting its shape. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the value in a box of its own, since null is JSON too; null when `text` is none */
export function parseJson(text: string): { readonly value: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return null;
  }
}

/** The object that stands at the root of `text`; null when it is anything else. */
export function parseRecord(text: string): Record<string, unknown> | null {
  const value = parseJson(text)?.value;
  return isRecord(value) ? value : null;
}

/** Where the string that begins at `start` ends: the place of its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length - 1;
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/**
 * The first object key that stands twice in `text`, or null. `JSON.parse` keeps the last of two
 * silently, so two readers of one file may see two different secrets under one name.
 *
 * One pass by hand: a regular expression over strings of megabytes runs out of stack.
 *
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | null {
  const open: Array<Set<string>> = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '}') open.pop();
    if (character !== '"') continue;
    const end = endOfString(text, at);
    let after = end + 1;
    while (' \t\r\n'.includes(text[after] ?? '-')) after++;
    if (text[after] === ':') {
      const name = String(parseJson(text.slice(at, end + 1))?.value);
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
    at = end;
  }
  return null;
}
