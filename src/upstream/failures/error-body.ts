/** What an error says about itself, whoever sent it: a provider, a gateway, a firewall's page. */

import { parseRecord } from '../../base/text/json.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../wire/foreign-json.ts';

export interface ErrorBody {
  /** `type` and `code`, the words meant for programs: nothing of a prompt is ever in them. */
  readonly code: string;
  /** Everything that was said, the code included, on one line to match against; bounded. */
  readonly text: string;
  /** A status that the error names itself. */
  readonly status: number | null;
  /** A pause that it names in a field of its own: seconds, or a duration. */
  readonly retryAfter: string | null;
  /** No JSON: a page, or a line of text, of whatever lies between. */
  readonly isForeign: boolean;
  /** The headers ask for a user's name and password, or for a ticket. */
  readonly asksForLogin: boolean;
}

/** Longer ones hold prompts and pages, not reasons. */
const MAX_TEXT = 4_000;

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function joined(parts: readonly string[]): string {
  return parts
    .map((part) => part.slice(0, MAX_TEXT))
    .filter((part) => part !== '')
    .join(' | ')
    .slice(0, MAX_TEXT);
}

function statusOf(error: Fields): number | null {
  const named = [error.status, error.status_code, error.code].map((each) => Number(wordOf(each)));
  return named.find((status) => status >= 400 && status <= 599) ?? null;
}

/**
 * Reads `{error: {message, type, code}}`, `{error: "…"}`, `{message}`, `{msg}`, FastAPI's `{detail}`.
 * Field by field, for what nobody asked for may be nested deeper than a serializer can follow.
 */
export function readErrorFields(fields: Fields): ErrorBody {
  const error = fieldsOf(fields.error);
  const details = listOf(fields.detail).map((each) => textOf(fieldsOf(each).msg) ?? '');
  const code = joined([error.type, error.code, fields.type, fields.code].map(wordOf));
  const { error: word, message, msg, detail } = fields;
  const said = [error.message, word, message, msg, detail].map((part) => textOf(part) ?? '');
  const retryAfter = wordOf(error.retry_after ?? fields.retry_after);
  return {
    code,
    text: joined([code, ...said, ...details]),
    status: statusOf(error) ?? statusOf(fields),
    retryAfter: retryAfter === '' ? null : retryAfter,
    isForeign: false,
    asksForLogin: false,
  };
}

export function readErrorBody(body: string): ErrorBody {
  const fields = parseRecord(body);
  if (fields !== null) return readErrorFields(fields);
  const text = body.slice(0, MAX_TEXT);
  return {
    code: '',
    text,
    status: null,
    retryAfter: null,
    isForeign: true,
    asksForLogin: false,
  };
}
