/**
 * Bytes that come in pieces → text. A TextDecoder would do, but takes twice the time: one that
 * streams opens a converter of ICU.
 */

import { StringDecoder } from 'node:string_decoder';

export class Utf8Reader {
  readonly #decoder = new StringDecoder('utf8');
  #isAtStart = true;

  /** The text that is complete so far, without a byte order mark. */
  read(bytes: Uint8Array): string {
    const text = this.#decoder.write(bytes);
    if (!this.#isAtStart || text === '') return text;
    this.#isAtStart = false;
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  /** What an incomplete last character is shown as; empty as a rule. */
  end(): string {
    return this.#decoder.end();
  }
}
