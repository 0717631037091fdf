/** Progress for people: a new phase at once, the same phase at most once a second. */

import { grouped } from '../base/grouped.ts';
import type { CallContext } from './call.ts';

const EVERY_MS = 1_000;

/** Says that the call is in `phase`; the details are put into words only when they are said. */
export type Say = (phase: string, details?: () => string) => void;

export function createProgress(context: CallContext): Say {
  let last = '';
  let saidAt = 0;
  return (phase, details) => {
    const now = performance.now();
    if (phase === last && (details === undefined || now - saidAt < EVERY_MS)) return;
    last = phase;
    saidAt = now;
    context.onProgress({ message: details === undefined ? phase : `${phase}, ${details()}` });
  };
}

/** `1,240 tokens`. */
export function tokensInWords(tokens: number): string {
  return `${grouped(tokens)} ${tokens === 1 ? 'token' : 'tokens'}`;
}
