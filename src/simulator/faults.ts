/** What can go wrong, by name, and scripts that say when. */

/** Faults that DeepSeek's side can show, as its documentation and its users tell of them. */
export const DEEPSEEK_FAULTS = [
  'ok',
  'never_answers', // connection accepted, not one byte
  'reset', // socket reset before the first byte
  'blank_then_ok', // queued: blank lines or keep-alive comments, then the answer
  'blank_then_eof',
  'blank_then_reset',
  'keep_alive_between', // comments between the chunks of a stream
  'keep_alive_for_ever',
  'slow_body', // the answer in a few pieces with pauses
  'slow_drip', // one byte at a time
  'trailing_usage', // usage on a chunk of its own, after the one with finish_reason
  'no_done', // finish_reason arrives, [DONE] does not
  'cut', // clean end of the connection in the middle of the content
  'reset_mid_content',
  'silent', // content begins, then nothing more
  'error_event', // an error inside a 200
  'length_empty', // reasoning used up max_tokens
  'stop_empty', // a success without content
  'content_filter',
  'insufficient_system_resource',
  'aborted',
  'unknown_ending', // a finish_reason that nobody has heard of
  'context_ending', // model_context_window_exceeded, as others say
  'tool_calls', // although no tools were offered
  'broken_json', // 200 whose body, or first event, is not JSON
  'html_200', // a captive portal's page under 200
  'hostile_text', // control, ANSI and bidirectional characters, a fake system prompt
  'huge_text', // some megabytes
  'bad_model', // 400s
  'bad_max_tokens',
  'too_long',
  'moderation',
  'bad_stream_options',
  'echo_authorization', // 400 whose message quotes the Authorization header
  'invalid_key', // 401 JSON that echoes the last four characters
  'invalid_key_plain', // 401 plain text without content type
  'no_balance', // 402
  'forbidden', // 403
  'blocked', // 403 with a firewall's page
  'login_page', // 401 of a gateway that asks for a name and a password
  'too_large', // 413, HTML
  'invalid_422',
  'invalid_422_text',
  'rate_limit', // 429
  'rate_limit_200', // the same error under 200
  'balance_limit',
  'retry_after',
  'server_error', // 500
  'overloaded', // 503
  'no_channel', // a gateway's 503 for a model it does not have
  'bad_gateway_html', // 502
  'redirect', // 307 to another host
] as const;

export const PERPLEXITY_FAULTS = [
  'ok',
  'never_answers',
  'reset',
  'empty_results',
  'null_results',
  'null_dates',
  'empty_snippet',
  'huge_snippet',
  'unknown_fields', // response fields nobody documented
  'hostile_text',
  'bad_filter', // 400
  'echo_authorization',
  'invalid_key', // 401s
  'no_credit',
  'html_401',
  'forbidden',
  'blocked',
  'login_page',
  'retired', // 403 of the chat endpoint, for whoever still asks it
  'invalid_422', // FastAPI's detail array
  'rate_limit',
  'retry_after',
  'server_error', // 500 HTML
  'bad_gateway_html',
  'slow_body',
  'slow_drip',
  'broken_json', // truncated JSON under 200
  'html_200',
  'redirect',
  'failed', // the agent's terminal states, all under 200
  'incomplete',
  'filtered', // incomplete for the content filter
  'completed_failed', // response.completed around a failed run
  'cancelled',
  'error_event', // a bare error event
  'cut', // no terminal event
  'reset_mid_content',
  'silent',
  'unknown_events',
  'keep_alive_between', // blank lines
  'keep_alive_for_ever',
] as const;

export type DeepSeekFault = (typeof DEEPSEEK_FAULTS)[number];
export type PerplexityFault = (typeof PERPLEXITY_FAULTS)[number];
export type FaultName = DeepSeekFault | PerplexityFault;

/**
 * Faults that free lookups (balance, models) show as well, when they are a lasting state: a dead
 * key is dead everywhere, and in an outage nothing answers. "The next two calls: 503" is about
 * inference alone, and a probe must not use it up.
 */
const LASTING: ReadonlySet<FaultName> = new Set<FaultName>([
  'never_answers',
  'reset',
  'invalid_key',
  'invalid_key_plain',
  'no_balance',
  'server_error',
  'overloaded',
  'bad_gateway_html',
  'redirect',
]);

export interface FaultStep {
  readonly fault: FaultName;
  /** Calls it strikes; default 1, or unlimited when the step has a time window. */
  readonly times?: number;
  /** Milliseconds since the script was set. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Strikes only requests whose path ends with this, such as `/user/balance`, lookups included. */
  readonly endpoint?: string;
  /** Value of the Retry-After header, where the fault sends one: seconds or an HTTP date. */
  readonly retryAfter?: number | string;
  /** Pause between the pieces of a slow body, keep-alives, or bytes of a drip. */
  readonly delayMs?: number;
  /** Part of the content that arrives before a break, 0..1; default one half. */
  readonly after?: number;
}

export type FaultScript = readonly FaultStep[];

/** A script being consumed: in order, each step as often as it says, only within its window. */
export class FaultQueue {
  readonly #steps: Array<{ readonly step: FaultStep; left: number }>;
  readonly #setAt: number;

  constructor(script: FaultScript, now: number) {
    this.#setAt = now;
    this.#steps = script.map((step) => {
      const isWindow = step.fromMs !== undefined || step.untilMs !== undefined;
      return { step, left: step.times ?? (isWindow ? Number.POSITIVE_INFINITY : 1) };
    });
  }

  /** The step that strikes a request to `path` now, or null. Uses one of its times up. */
  next(path: string, isLookup: boolean, now: number): FaultStep | null {
    const elapsed = now - this.#setAt;
    for (const entry of this.#steps) {
      const { step } = entry;
      if (entry.left < 1) continue;
      if (elapsed < (step.fromMs ?? 0) || elapsed >= (step.untilMs ?? Infinity)) continue;
      if (step.endpoint !== undefined && !path.endsWith(step.endpoint)) continue;
      const isLasting = entry.left === Infinity && LASTING.has(step.fault);
      if (isLookup && step.endpoint === undefined && !isLasting) continue;
      entry.left -= 1;
      return step;
    }
    return null;
  }
}
