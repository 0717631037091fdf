/** Whether an upstream's address can be reached at all, asked without a key. */

import { PROVIDER_NAMES, type Provider } from '../base/errors.ts';
import { diagnoseNetwork } from './failures/network-failure.ts';
import { unreachable } from './failures/sentences.ts';
import type { Fetch } from './wire/http.ts';

const TIMEOUT_MS = 15_000;

/** Null: something answered, whatever it said. Else what is wrong, and the next step. */
export async function whyUnreachable(
  provider: Provider,
  baseUrl: string,
  fetch: Fetch,
): Promise<{ readonly message: string; readonly hint: string } | null> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(`${baseUrl}/`, { method: 'GET', headers: {}, signal });
    answer.body.destroy();
    return null;
  } catch (error) {
    if (error instanceof DOMException) {
      const who = PROVIDER_NAMES[provider];
      return { message: `${who} did not answer within ${TIMEOUT_MS / 1000} s`, hint: '' };
    }
    return unreachable(provider, diagnoseNetwork(error));
  }
}
