/** Reads the answer of the Agent API into a run, whatever form it comes in, and judges the run. */

import type { Failure } from '../../base/errors.ts';
import { parseRecord } from '../../base/text/json.ts';
import { diagnoseEmbedded, diagnosis, isBareError } from '../failures/failure.ts';
import { AttemptFailure, unusable } from '../run-attempt.ts';
import type { Answer, AnswerHeaders } from '../wire/body.ts';
import { readEvents } from '../wire/events.ts';
import { type Fields, fieldsOf, textOf } from '../wire/foreign-json.ts';
import type { AgentRun } from './agent-run.ts';

const MAX_STREAM_BYTES = 128 * 1024 * 1024;
/** Reasons that mean: this is as much as the budget allowed. */
const BUDGET = new Set([
  'max_output_tokens',
  'max_tokens',
  'length',
  'max_steps',
  'max_tool_calls',
]);
const FILTER = /content_filter|safety|moderation/;

export interface AgentSigns {
  /** The run is at work; a phrase for whoever waits. */
  onContent(message: string): void;
  /** Bytes of an answer that can be read only when all of it is there. */
  onText(): void;
}

/** An error under 200, or something that is neither that nor an answer. */
export function throwEmbedded(fields: Fields, answer: Answer, text: string): never {
  const { error } = fields;
  const isError = (error !== undefined && error !== null) || isBareError(fields);
  if (!isError) return unusable(answer, text);
  throw new AttemptFailure(diagnoseEmbedded(fields, answer.headers, false), text);
}

/**
 * @throws AttemptFailure for what is no answer
 * @throws TransportError
 */
export async function readAgent(answer: Answer, run: AgentRun, signs: AgentSigns): Promise<void> {
  let events = 0;
  const readWhole = (fields: Fields, text: string): 'last' => {
    const inner = fieldsOf(fields.response);
    const response = textOf(inner.status) === null ? fields : inner;
    if (textOf(response.status) === null) throwEmbedded(fields, answer, text);
    run.applyWhole(response);
    return 'last';
  };
  const whole = await readEvents(answer, {
    maxBytes: MAX_STREAM_BYTES,
    onText: signs.onText,
    onData: (data, isWhole) => {
      const text = data.trim();
      // `[DONE]`, "ping", an empty line: nobody ordered them here.
      if (!text.startsWith('{')) return 'more';
      const event = parseRecord(text);
      if (event === null) return isWhole ? unusable(answer, text) : 'more';
      events += 1;
      // A whole run in one event, or an error that is called nothing.
      if (textOf(event.type) === null) return readWhole(event, text);
      return run.apply(event, signs.onContent);
    },
  });
  if (whole !== null) {
    const fields = parseRecord(whole);
    if (fields === null) return unusable(answer, whole);
    readWhole(fields, whole);
  } else if (events === 0) unusable(answer, 'an event stream without events');
}

/**
 * @param known about the request: status, trace id
 * @returns whether the answer was cut before it was complete
 * @throws AttemptFailure when the run is no answer
 */
export function judgeRun(
  run: AgentRun,
  headers: AnswerHeaders,
  known: Partial<Failure>,
): { readonly isTruncated: boolean } {
  const billed = { ...known, mayBeBilled: true };
  if (run.status === 'running') throw new AttemptFailure(diagnosis('cut', billed));
  if (run.status === 'failed') {
    const found = diagnoseEmbedded(run.error, headers, run.text !== '');
    const failure = { ...found.failure, requestId: known.requestId ?? null };
    throw new AttemptFailure(
      { ...found, failure },
      textOf(fieldsOf(run.error.error).message) ?? '',
    );
  }
  if (run.status === 'cancelled') throw new AttemptFailure(diagnosis('server_error', billed));
  const isTruncated = run.status === 'incomplete';
  if (isTruncated && FILTER.test(run.reason ?? '')) {
    throw new AttemptFailure(diagnosis('moderation', billed));
  }
  if (run.text.trim() !== '') return { isTruncated };
  const isSpent = isTruncated && (run.reason === null || BUDGET.has(run.reason));
  throw new AttemptFailure(diagnosis(isSpent ? 'empty' : 'no_answer', billed));
}
