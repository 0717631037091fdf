/** The bodies of answers as they were before somebody compressed them. */

import { pipeline, type Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** What has arrived is handed on at once, and an end without a trailer is an end, as in browsers. */
const ZLIB = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

function decoderFor(encoding: string | null): Transform | null {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(ZLIB);
    case 'deflate':
      return createInflate(ZLIB);
    case 'br':
      return createBrotliDecompress(BROTLI);
    default:
      return null;
  }
}

/** Unknown encodings stay as they are. Who destroys what is returned ends the request. */
export function unpacked(body: Readable, encoding: string | null): Readable {
  const decoder = decoderFor(encoding);
  // One that breaks while nobody reads it is nobody's concern: who reads it is told then.
  if (decoder === null) return body.on('error', () => {});
  return pipeline(body, decoder, () => {});
}
