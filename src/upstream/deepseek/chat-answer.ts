/** Reads one answer to a chat completion into a draft, whatever form it comes in. */

import { parseRecord } from '../../base/text/json.ts';
import { diagnoseEmbedded, diagnosis, requestIdOf } from '../failures/failure.ts';
import { AttemptFailure, unusable } from '../run-attempt.ts';
import type { Answer } from '../wire/body.ts';
import { type Expectation, readEvents } from '../wire/events.ts';
import { type Fields, listOf } from '../wire/foreign-json.ts';
import { readPiece } from './chat-piece.ts';
import type { Draft } from './draft.ts';

/** A stream spends some 300 bytes on a token; the longest answer has 393,216 of them. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;

export interface ChatSigns {
  /** New text is in the draft. @throws whatever ends the reading */
  onContent(): void;
  /** Bytes of an answer that can be read only when all of it is there. */
  onText(): void;
}

/**
 * @throws AttemptFailure for an error inside the answer, or for what is no answer
 * @throws TransportError
 */
export async function readChatAnswer(
  answer: Answer,
  draft: Draft,
  signs: ChatSigns,
): Promise<void> {
  let pieces = 0;
  const apply = (fields: Fields, text: string): Expectation => {
    const piece = readPiece(fields);
    if (piece.error !== null) {
      if (draft.isSettled && listOf(fields.choices).length === 0) return 'finishing';
      const found = diagnoseEmbedded(piece.error, answer.headers, draft.length > 0);
      throw new AttemptFailure(found, text);
    }
    pieces += 1;
    return draft.apply(piece, signs.onContent);
  };
  const rest = (): Expectation => (draft.isSettled ? 'finishing' : 'more');
  const whole = await readEvents(answer, {
    maxBytes: MAX_STREAM_BYTES,
    onText: () => {
      draft.begin();
      signs.onText();
    },
    onData: (data, isWhole) => {
      const text = data.trim();
      if (/^\[?DONE\]?$/.test(text)) return 'last';
      // "ping", an empty line, a list: nobody ordered them, and they are no part of the answer.
      if (!text.startsWith('{')) return rest();
      const fields = parseRecord(text);
      if (fields !== null) return apply(fields, text);
      if (draft.isSettled || !isWhole) return rest();
      const requestId = requestIdOf(answer.headers);
      const known = { status: answer.status, requestId, mayBeBilled: true };
      throw new AttemptFailure(diagnosis('malformed', known), text);
    },
  });
  if (whole !== null) {
    const fields = parseRecord(whole);
    if (fields === null) return unusable(answer, whole);
    const hasChoices = listOf(fields.choices).length > 0;
    if (!hasChoices && readPiece(fields).error === null) return unusable(answer, whole);
    apply(fields, whole);
  }
  if (pieces === 0) unusable(answer, 'an event stream without events');
}
