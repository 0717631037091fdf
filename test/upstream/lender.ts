/** The pool's contract at its smallest: lends the keys in turn until one serves. */

import { UpstreamError } from '../../src/errors.ts';
import type { CallResult, Lease, Lender } from '../../src/pool/lease.ts';

export interface TestKey {
  readonly name: string;
  readonly secret: string;
}

const CALLERS_FAULT = new Set([
  'bad_request',
  'unknown_model',
  'too_long',
  'moderation',
  'empty',
  'deadline',
]);

export class TestLender implements Lender {
  readonly #keys: readonly TestKey[];
  /** Leases of all calls, for tests to look at. */
  readonly leases: Array<{ keyName: string; hadFirstByte: boolean; tokens: number | null }> = [];

  constructor(keys: readonly TestKey[]) {
    this.#keys = keys;
  }

  call: Lender['call'] = async (request, send) => {
    const deadline = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, deadline]);
    let last: unknown = new Error('no keys');
    for (const [at, key] of this.#keys.entries()) {
      const record = { keyName: key.name, hadFirstByte: false, tokens: null as number | null };
      this.leases.push(record);
      const lease: Lease = {
        keyName: key.name,
        keyId: key.secret.slice(-6),
        account: key.name,
        secret: key.secret,
        attempt: at + 1,
        signal,
        remainingMs: request.timeoutMs,
        firstByte: () => {
          record.hadFirstByte = true;
        },
      };
      try {
        const { value, completionTokens } = await send(lease);
        record.tokens = completionTokens;
        const result: CallResult<typeof value> = { value, keyName: key.name, attempts: at + 1 };
        return result;
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        if (CALLERS_FAULT.has(error.failure.kind)) throw error;
        last = error;
      }
    }
    throw last;
  };
}
