/** Why no key can serve, in our words, with the next step. */

import {
  type KeyReason,
  PoolExhaustedError,
  PROVIDER_NAMES,
  type Provider,
  UpstreamError,
} from '../../../base/errors.ts';
import { turnsPausedUntil } from '../../records/course/rate-notes.ts';
import type { KeySlot } from './key-slot.ts';

/** What keeps a key from serving just now; null for a key in rotation. */
export function unavailability(slot: KeySlot, model: string | null, now: number): KeyReason | null {
  const { record, account, breaker } = slot;
  const { name, keyId } = record;
  const disabled = record.disabled ?? account.disabled;
  if (disabled !== null && breaker.state !== 'half-open')
    return { name, keyId, reason: disabled.reason, retryAfterMs: null };
  const forbiddenUntil = model === null ? 0 : (record.forbiddenUntil.get(model) ?? 0);
  const coolUntil = Math.max(account.coolUntil, turnsPausedUntil(account, model));
  const until = Math.max(breaker.openUntil ?? 0, coolUntil, forbiddenUntil);
  if (until <= now) return null;
  const reason =
    forbiddenUntil === until
      ? 'not allowed to use this model (403)'
      : coolUntil === until
        ? (account.coolReason ?? 'cooling down')
        : (record.tripReason ?? 'resting after repeated failures');
  return { name, keyId, reason, retryAfterMs: Math.ceil(until - now) };
}

function listed(keys: readonly KeyReason[]): string {
  const shown = keys.slice(0, 8).map((key) => `${key.name} (${key.keyId}): ${key.reason}`);
  const more = keys.length > shown.length ? `; and ${keys.length - shown.length} more` : '';
  return `${shown.join('; ')}${more}`;
}

function envName(provider: Provider): string {
  return `${provider.toUpperCase()}_API_KEY`;
}

/** No key of this provider is configured. */
export function noKeys(provider: Provider): PoolExhaustedError {
  const message = `no ${PROVIDER_NAMES[provider]} key is configured`;
  const hint = `add one: keypool-mcp keys add ${envName(provider)}`;
  return new PoolExhaustedError(provider, 'POOL_NO_KEYS', message, { hint });
}

/** Every key is disabled; waiting does not help. */
export function noCredentials(provider: Provider, keys: readonly KeyReason[]): PoolExhaustedError {
  const message = `no ${PROVIDER_NAMES[provider]} key can serve: ${listed(keys)}`;
  const first = keys[0]?.name ?? envName(provider);
  const hint = `top up the account or replace the key (keypool-mcp keys add ${first}), then check: keypool-mcp keys verify`;
  return new PoolExhaustedError(provider, 'POOL_NO_CREDENTIALS', message, { hint, keys });
}

function seconds(ms: number): string {
  return `${Math.max(0.1, Math.round(ms / 100) / 10)} s`;
}

/** No key comes back before the deadline. */
export function exhausted(
  provider: Provider,
  keys: readonly KeyReason[],
  retryAfterMs: number,
): PoolExhaustedError {
  const message = `no ${PROVIDER_NAMES[provider]} key is free before the call's deadline: ${listed(keys)}`;
  const hint = `try again in ${seconds(retryAfterMs)}, or add a key of another account: keypool-mcp keys add ${envName(provider)}`;
  return new PoolExhaustedError(provider, 'POOL_EXHAUSTED', message, { hint, keys, retryAfterMs });
}

/** The call's time was spent in the queue. */
export function waitedTooLong(
  provider: Provider,
  timeoutMs: number,
  keys: readonly KeyReason[],
): PoolExhaustedError {
  const why = keys.length === 0 ? 'every key was busy' : listed(keys);
  const message = `no ${PROVIDER_NAMES[provider]} key became free within ${seconds(timeoutMs)}: ${why}`;
  const hint =
    'send fewer calls at once, raise KEYPOOL_CALL_TIMEOUT_MS, or add a key of another account';
  return new PoolExhaustedError(provider, 'POOL_EXHAUSTED', message, {
    hint,
    keys,
    retryAfterMs: null,
  });
}

export function queueFull(provider: Provider, waiting: number): PoolExhaustedError {
  const message = `${waiting} ${PROVIDER_NAMES[provider]} calls are waiting already`;
  const hint = 'send fewer calls at once, or add a key of another account';
  return new PoolExhaustedError(provider, 'POOL_QUEUE_FULL', message, { hint });
}

/** The whole time was spent, with an attempt under way. */
export function deadlineSpent(provider: Provider, timeoutMs: number): UpstreamError {
  return ownFailure(
    provider,
    'deadline',
    `${PROVIDER_NAMES[provider]} did not finish within ${seconds(timeoutMs)}`,
    'ask for less, or raise KEYPOOL_CALL_TIMEOUT_MS',
  );
}

/** The pool gave the attempt up because the key said nothing while others answered. */
export function keySilent(provider: Provider, keyName: string, silentMs: number): UpstreamError {
  return ownFailure(
    provider,
    'idle',
    `${PROVIDER_NAMES[provider]} said nothing to ${keyName} for ${seconds(silentMs)}`,
    'try again; check the key: keypool-mcp keys verify',
  );
}

function ownFailure(
  provider: Provider,
  kind: 'deadline' | 'idle',
  message: string,
  hint: string,
): UpstreamError {
  const failure = {
    kind,
    status: null,
    retryAfterMs: null,
    requestId: null,
    namedLimit: null,
    namedInFlight: null,
    mayBeBilled: true,
  };
  return new UpstreamError(provider, failure, message, { hint });
}
