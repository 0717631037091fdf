/** The XML that KeePass 2 and KeePassXC export → a list of maps, one for each entry. */

import { parser } from 'sax';
import { type ListNode, type MapNode, type TextNode, textAt } from './tree.ts';

/** Whether a text is such an export, by its beginning. */
export function isKeePass(text: string): boolean {
  return /^\s{0,9}(?:<\?xml[^>]{0,200}\?>\s{0,9})?(?:<!--[^>]{0,500}-->\s{0,9})?<KeePassFile[\s>]/.test(
    text.slice(0, 1_000),
  );
}

type Member = MapNode['members'][number];

/** What stands inside `<Entry>`, and how far the reader has come in it. */
class Entries {
  readonly items: MapNode[] = [];
  /** Names of the elements around, outermost first. */
  readonly #open: string[] = [];
  #members: Member[] = [];
  #entryLine = 1;
  #key = '';
  #text = '';
  #line = 1;

  /**
   * How many `<History>` are open: earlier values of an entry are kept inside it, and are no entries
   * of their own.
   */
  #past = 0;

  enter(name: string, line: number): void {
    this.#open.push(name);
    if (name === 'History') this.#past++;
    this.#text = '';
    this.#line = line;
    if (name === 'Entry' && this.#past === 0) {
      this.#members = [];
      this.#entryLine = line;
    }
  }

  read(text: string): void {
    this.#text += text;
  }

  leave(name: string): void {
    const isField = this.#open.at(-2) === 'String' && this.#past === 0;
    if (isField && name === 'Key') this.#key = this.#text;
    if (isField && name === 'Value') this.#members.push({ key: this.#key, node: this.#value() });
    if (name === 'Entry' && this.#past === 0) {
      this.items.push({ kind: 'map', line: this.#entryLine, members: this.#members });
    }
    if (name === 'History') this.#past--;
    this.#open.pop();
    this.#text = '';
  }

  #value(): TextNode {
    return { ...textAt(this.#text.trim(), this.#line), spansLines: true };
  }
}

/** @returns null when it is not well-formed */
export function parseKeePass(text: string): ListNode | null {
  const reader = parser(true, { position: true });
  const entries = new Entries();
  reader.onopentag = ({ name }) => entries.enter(name, reader.line + 1);
  reader.ontext = (piece) => entries.read(piece);
  reader.oncdata = (piece) => entries.read(piece);
  reader.onclosetag = (name) => entries.leave(name);
  try {
    reader.write(text).close();
    return { kind: 'list', items: entries.items };
  } catch {
    // Cut off, or changed by hand: what it holds is read line by line.
    return null;
  }
}
