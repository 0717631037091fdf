/** The bodies of answers as they were before somebody compressed them. */

import type { Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type Body, type Take, TransportError } from './body.ts';

/** A body as it comes from the connection, which can be told to wait. */
export interface Packed extends Body {
  pause(): void;
  resume(): void;
}

/** What has arrived is handed on at once, and an end without a trailer is an end, as in browsers. */
const ZLIB = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

class Unpacking implements Body {
  readonly #packed: Packed;
  readonly #createDecoder: () => Transform;
  #decoder: Transform | null = null;

  constructor(packed: Packed, createDecoder: () => Transform) {
    this.#packed = packed;
    this.#createDecoder = createDecoder;
  }

  get isOver(): boolean {
    return this.#packed.isOver && this.#decoder?.destroyed === true;
  }

  read(take: Take): Promise<void> {
    const decoder = this.#createDecoder();
    this.#decoder = decoder;
    return new Promise((resolve, reject) => {
      decoder.on('data', (bytes: Uint8Array) => {
        try {
          if (take(bytes) === 'more') return;
          resolve();
          decoder.destroy();
        } catch (error) {
          reject(error);
          this.destroy();
        }
      });
      decoder.once('end', resolve);
      decoder.once('error', (cause) => {
        reject(new TransportError(cause));
        this.destroy();
      });
      this.#feed(decoder).catch((error: unknown) => {
        reject(error);
        // Who was told that it broke is not handed what was still being unpacked.
        decoder.destroy();
      });
    });
  }

  destroy(): void {
    this.#packed.destroy();
    this.#decoder?.destroy(new Error('the body was closed'));
  }

  async #feed(decoder: Transform): Promise<void> {
    decoder.on('drain', () => this.#packed.resume());
    await this.#packed.read((bytes) => {
      if (decoder.destroyed) return 'enough';
      if (!decoder.write(bytes)) this.#packed.pause();
      return 'more';
    });
    if (!decoder.destroyed) decoder.end();
  }
}

/** Unknown encodings stay as they are. */
export function unpacked(body: Packed, encoding: string | null): Body {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return new Unpacking(body, () => createGunzip(ZLIB));
    case 'deflate':
      return new Unpacking(body, () => createInflate(ZLIB));
    case 'br':
      return new Unpacking(body, () => createBrotliDecompress(BROTLI));
    default:
      return body;
  }
}
