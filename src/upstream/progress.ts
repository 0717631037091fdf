/** Progress for people: at most one update a second, however fast the tokens come. */

import type { CallContext } from './call.ts';

const EVERY_MS = 1_000;

/** Says `message()` when the last word is a second old; composes it only then. */
export function createProgress(context: CallContext): (message: () => string) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (now - saidAt < EVERY_MS) return;
    saidAt = now;
    context.onProgress({ message: message() });
  };
}

/** `1,240 tokens`. */
export function tokensInWords(tokens: number): string {
  return `${tokens.toLocaleString('en-US')} ${tokens === 1 ? 'token' : 'tokens'}`;
}
