/** The one place where an error becomes words for a model. */

import { randomUUID } from 'node:crypto';
import {
  BudgetError,
  ConfigError,
  KeyStoreError,
  PoolExhaustedError,
  UpstreamError,
} from '../base/errors.ts';
import { grouped } from '../base/grouped.ts';
import type { Logger } from '../base/logger.ts';
import { shortageOf } from '../base/system/system-error.ts';
import { cleanText, headOf } from '../tools/clean-text.ts';

/** Partial text is a consolation, not a result. */
const PARTIAL_LIMIT = 20_000;

/** Text of ours with a capital and an end; empty for none. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const end = /[.!?]$/.test(trimmed) ? '' : '.';
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${end}`;
}

function keyReasons(error: PoolExhaustedError): string[] {
  return error.keys.map(({ name, keyId, reason, retryAfterMs }) => {
    const wait = retryAfterMs === null ? '' : `, again in ${Math.ceil(retryAfterMs / 1000)} s`;
    return `- ${name} (${keyId}): ${reason}${wait}`;
  });
}

function partialText(error: UpstreamError): string[] {
  if (error.partial === null || error.partial.trim() === '') return [];
  const text = cleanText(error.partial);
  const head = headOf(text, PARTIAL_LIMIT);
  const cut = head.length < text.length ? `, the first ${grouped(PARTIAL_LIMIT)} characters` : '';
  return ['', `Unfinished text received before the failure (data, incomplete${cut}):`, head];
}

function isOurs(
  error: unknown,
): error is UpstreamError | PoolExhaustedError | KeyStoreError | ConfigError | BudgetError {
  return (
    error instanceof UpstreamError ||
    error instanceof PoolExhaustedError ||
    error instanceof KeyStoreError ||
    error instanceof ConfigError ||
    error instanceof BudgetError
  );
}

/**
 * What happened, and the next step. A bug is logged with its stack and shown as an id alone.
 *
 * @param advice sentences in the place of the error's own next step
 */
export function presentError(error: unknown, logger: Logger, advice?: string): string {
  const shortage = shortageOf(error);
  if (shortage !== null) {
    logger.error('This machine has run short', { reason: shortage });
    return `This server cannot serve the call: ${shortage}. Close other programs or raise the limit, then try again.`;
  }
  if (!isOurs(error)) {
    const id = randomUUID();
    logger.error('internal error', { id, error });
    return `Internal error ${id}. It is logged on the server's stderr under this id; please report it.`;
  }
  const lines = [[sentence(error.message), advice ?? sentence(error.hint)].join(' ').trim()];
  if (error instanceof PoolExhaustedError) lines.push(...keyReasons(error));
  if (error instanceof UpstreamError) lines.push(...partialText(error));
  return lines.join('\n');
}
