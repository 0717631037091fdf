/** Long stretches of certain characters, found without looking at most of the text. */

import type { TextSpan } from './run-index.ts';

/** Says of a UTF-16 code whether the character counts. */
export type IsMember = (code: number) => boolean;

/** The characters that count; each is one code of UTF-16. */
export function classOf(characters: string): IsMember {
  const members = new Uint8Array(0x10000);
  for (const character of characters) members[character.charCodeAt(0)] = 1;
  return (code) => members[code] === 1;
}

/** Every stretch of at least `least` characters that count: each holds one at a multiple of `least`. */
export function stretches(text: string, isMember: IsMember, least: number): TextSpan[] {
  const found: TextSpan[] = [];
  let from = 0;
  for (let at = least - 1; at < text.length; at += least) {
    if (!isMember(text.charCodeAt(at))) continue;
    let start = at;
    while (start > from && isMember(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (end < text.length && isMember(text.charCodeAt(end))) end++;
    if (end - start >= least) found.push({ start, end });
    from = end;
    // The next probe is `least` after the end, where the stretch after it may be at its shortest.
    at = end - 1;
  }
  return found;
}
