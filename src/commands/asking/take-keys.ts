/** What happens to keys that a person put in for a call that waits: judged, asked about, stored. */

import { ConfigError, DiskError, KeyStoreError, type Provider } from '../../base/errors.ts';
import { keyId } from '../../base/keys/key-id.ts';
import type { StoredKey } from '../../http/key-page/key-page-html.ts';
import type { TakenKeys } from '../../http/key-page/key-page-server.ts';
import { readGivenKeys, secretsIn } from '../../importing/given-keys.ts';
import { sentence } from '../../mcp/present-error.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import type { NewSecret } from '../../secrets/store/put-secrets.ts';
import type { KeyCheck } from '../../upstream/verify.ts';
import { makeHome } from '../composition/home/make-home.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';
import type { Runtime, RuntimeOptions } from '../composition/runtime.ts';
import { nameKeys } from './name-keys.ts';

/** For the pool to see what was stored: twice what it takes at most. */
const IN_FORCE_MS = 5_000;

export interface KeyTaker {
  readonly provider: Provider;
  readonly options: RuntimeOptions;
  readonly runtime: Runtime;
}

async function storeOf({ flags, env }: RuntimeOptions): Promise<KeyStore> {
  try {
    return await openStoreOf({ flags, env });
  } catch (error) {
    if (!(error instanceof KeyStoreError) || error.code !== 'missing') throw error;
    return (await makeHome({ flags, env, vault: null })).store;
  }
}

/** A search costs half a cent, and the call that waits asks the same question. */
async function checked(
  { provider, runtime }: KeyTaker,
  values: readonly string[],
): Promise<ReadonlyMap<string, KeyCheck>> {
  if (provider !== 'deepseek') return new Map();
  const { signal } = new AbortController();
  const checks = values.map(
    async (value): Promise<[string, KeyCheck]> => [
      value,
      await runtime.checkKey(provider, value, signal),
    ],
  );
  return new Map(await Promise.all(checks));
}

function ordinal(at: number, count: number): string {
  return count === 1 ? 'this key' : `key ${at + 1} of ${count}`;
}

async function storedFrom(taker: KeyTaker, values: readonly string[]): Promise<TakenKeys> {
  const checks = await checked(taker, values);
  for (const [at, value] of values.entries()) {
    const check = checks.get(value);
    if (check?.verdict !== 'invalid_key') continue;
    const problem = `DeepSeek does not know ${ordinal(at, values.length)}: ${check.detail}. Copy it again, whole.`;
    return { ok: false, problem };
  }
  const store = await storeOf(taker.options);
  let secrets: readonly NewSecret[] = [];
  await store.putChosen((held) => {
    secrets = nameKeys(taker.provider, values, held, taker.options);
    return secrets;
  });
  const stored = secrets.map(({ name, value }): StoredKey => {
    const check = checks.get(value);
    return { name, keyId: keyId(value), detail: check?.detail ?? null };
  });
  const { options, runtime } = taker;
  options.logger.info('Keys were put in on the page of a waiting call', {
    keys: stored.map((key) => `${key.name} (${key.keyId})`),
  });
  await runtime.untilKeys(
    (keys) => secrets.every(({ value }) => keys.some(({ secret }) => secret === value)),
    AbortSignal.timeout(IN_FORCE_MS),
  );
  return { ok: true, stored };
}

function isOurs(error: unknown): error is ConfigError | KeyStoreError | DiskError {
  return (
    error instanceof ConfigError || error instanceof KeyStoreError || error instanceof DiskError
  );
}

/** Everything that can be wrong is a sentence for the person on the page. */
export async function takeKeys(taker: KeyTaker, text: string): Promise<TakenKeys> {
  const { provider, options } = taker;
  const given = readGivenKeys(provider, text);
  options.redactor.add(...(given.ok ? given.values : secretsIn(text)));
  if (!given.ok) return { ok: false, problem: `That was not taken: ${given.problem}.` };
  try {
    return await storedFrom(taker, given.values);
  } catch (error) {
    if (!isOurs(error)) throw error;
    options.logger.warn('A key that was put in could not be stored', { reason: error.message });
    const problem = `It could not be stored: ${sentence(error.message)} ${sentence(error.hint)}`;
    return { ok: false, problem };
  }
}
