/** How a fault changes a chat completion that begins as a success. */

import type { DeepSeekFault } from '../faults.ts';
import type { Turn } from '../turn.ts';

/** How one answer breaks; the plain one does not. */
export interface Plan {
  readonly keepAlive: 'none' | 'before' | 'between' | 'for_ever';
  readonly afterKeepAlive: 'answer' | 'eof' | 'reset';
  /** The first three deliver everything; the others break off in the middle of the content. */
  readonly end:
    | 'done'
    | 'trailing_usage'
    | 'no_done'
    | 'cut'
    | 'reset'
    | 'silent'
    | 'error_event'
    | 'broken_json';
  readonly finishReason: string | null;
  readonly content: 'whole' | 'half' | 'none' | 'hostile' | 'huge';
  readonly pieceDelayMs: number;
}

const PLAIN: Plan = {
  keepAlive: 'none',
  afterKeepAlive: 'answer',
  end: 'done',
  finishReason: null,
  content: 'whole',
  pieceDelayMs: 0,
};

const PLANS: Partial<Readonly<Record<DeepSeekFault, Partial<Plan>>>> = {
  blank_then_ok: { keepAlive: 'before' },
  blank_then_eof: { keepAlive: 'before', afterKeepAlive: 'eof' },
  blank_then_reset: { keepAlive: 'before', afterKeepAlive: 'reset' },
  keep_alive_between: { keepAlive: 'between' },
  keep_alive_for_ever: { keepAlive: 'for_ever' },
  trailing_usage: { end: 'trailing_usage' },
  no_done: { end: 'no_done' },
  cut: { end: 'cut' },
  reset_mid_content: { end: 'reset' },
  silent: { end: 'silent' },
  error_event: { end: 'error_event' },
  broken_json: { end: 'broken_json' },
  length_empty: { content: 'none', finishReason: 'length' },
  stop_empty: { content: 'none', finishReason: 'stop' },
  content_filter: { content: 'half', finishReason: 'content_filter' },
  insufficient_system_resource: {
    content: 'half',
    finishReason: 'insufficient_system_resource',
  },
  aborted: { content: 'half', finishReason: 'aborted' },
  unknown_ending: { content: 'half', finishReason: 'network_error' },
  context_ending: { content: 'half', finishReason: 'model_context_window_exceeded' },
  tool_calls: { content: 'none', finishReason: 'tool_calls' },
  hostile_text: { content: 'hostile' },
  huge_text: { content: 'huge' },
};
const PLAN_BY_NAME = new Map(Object.entries(PLANS));

export function planOf(turn: Turn): Plan {
  const fault = turn.step?.fault ?? 'ok';
  const pieceDelayMs = fault === 'slow_body' ? (turn.step?.delayMs ?? 250) : 0;
  return { ...PLAIN, ...PLAN_BY_NAME.get(fault), pieceDelayMs };
}

export function isBroken(plan: Plan): boolean {
  return plan.end !== 'done' && plan.end !== 'trailing_usage' && plan.end !== 'no_done';
}
