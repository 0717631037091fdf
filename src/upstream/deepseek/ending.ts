/** Whether a draft is an answer. Only two words end one; every other is a failure. */

import type { Failure } from '../../base/errors.ts';
import { type Diagnosis, diagnosis } from '../failures/failure.ts';
import type { Draft } from './draft.ts';

/** Cut short by the upstream's want of machines. */
const OVERLOAD = new Set(['insufficient_system_resource', 'aborted']);
/** Endings for the sake of what was asked or said: no key is at fault. */
const ABOUT_CONTENT = new Set([
  'sensitive',
  'safety',
  'refusal',
  'recitation',
  'prohibited_content',
  'blocklist',
  'spii',
  'max_tokens',
  'model_length',
  'model_context_window_exceeded',
]);

type Known = Partial<Failure>;

/** Whole, but without content: what was there instead. */
function emptied(draft: Draft, known: Known): Diagnosis {
  // Reasoning took all the room there was: the caller's budget, and no second try would have more.
  if (draft.finishReason === 'length') return diagnosis('empty', known);
  const deed = draft.hasReasoning ? 'wrote nothing but reasoning, and no answer' : null;
  return diagnosis('no_answer', known, deed);
}

/**
 * @param known about the request: status, trace id, whether it may be billed
 * @returns null for a whole answer, or one that its token limit cut
 */
export function failureOfEnding(draft: Draft, known: Known): Diagnosis | null {
  const reason = draft.finishReason;
  if (reason === null) return diagnosis('cut', known);
  if (reason === 'content_filter') return diagnosis('moderation', known);
  if (OVERLOAD.has(reason)) return diagnosis('overloaded', known);
  if (draft.hasToolCalls || reason === 'tool_calls' || reason === 'function_call') {
    return diagnosis(
      'no_answer',
      known,
      'called tools instead of answering, and none were offered',
    );
  }
  if (reason !== 'stop' && reason !== 'length') {
    const deed = `did not finish the answer (finish_reason "${reason}")`;
    return diagnosis(ABOUT_CONTENT.has(reason) ? 'no_answer' : 'cut', known, deed);
  }
  const isEmpty = draft.content.trim() === '' && draft.refusal.trim() === '';
  return isEmpty ? emptied(draft, known) : null;
}
