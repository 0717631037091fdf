/** A real key pool that writes down what the clients tell it about their leases. */

import type { Provider } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { Lease, Lender } from '../../src/pool/lease.ts';
import type { PoolSnapshot } from '../../src/pool/snapshot.ts';

export interface TestKey {
  readonly name: string;
  readonly secret: string;
}

export interface LeaseRecord {
  readonly keyName: string;
  accepted: boolean;
  firstByte: boolean;
  tokens: number | null;
  /** What the attempt ended with; null for a success. */
  error: unknown;
}

export class RecordingPool implements Lender {
  readonly leases: LeaseRecord[] = [];
  /** Called before an attempt is sent, with its number. */
  onAttempt: (attempt: number) => void = () => {};
  readonly #pool: KeyPool;
  readonly #lender: Lender;

  constructor(provider: Provider, keys: readonly TestKey[]) {
    this.#pool = new KeyPool({
      keys: keys.map(({ name, secret }) => ({ provider, name, secret, account: null })),
      maxConcurrent: 64,
      logger: silentLogger,
      random: () => 0.5,
    });
    this.#lender = this.#pool.lender(provider);
  }

  call: Lender['call'] = (request, send) =>
    this.#lender.call(request, async (lease) => {
      const record: LeaseRecord = {
        keyName: lease.keyName,
        accepted: false,
        firstByte: false,
        tokens: null,
        error: null,
      };
      this.leases.push(record);
      this.onAttempt(lease.attempt);
      try {
        const result = await send(recorded(lease, record));
        record.tokens = result.completionTokens;
        return result;
      } catch (error) {
        record.error = error;
        throw error;
      }
    });

  snapshot(): PoolSnapshot {
    return this.#pool.snapshot();
  }

  close(): void {
    this.#pool.close();
  }
}

function recorded(lease: Lease, record: LeaseRecord): Lease {
  const { keyName, keyId, account, secret, attempt, signal, remainingMs } = lease;
  return {
    ...{ keyName, keyId, account, secret, attempt, signal, remainingMs },
    accepted: () => {
      record.accepted = true;
      lease.accepted?.();
    },
    firstByte: () => {
      record.firstByte = true;
      lease.firstByte();
    },
    giveUp: () => lease.giveUp(),
  };
}
