/** What can go wrong, as cases that a test strikes one key with. The order is the document's. */

import type { FaultStep } from '../../src/simulator/simulator.ts';

export interface FaultCase {
  readonly condition: string;
  /** By the simulator, or in place of an answer a socket error or a proxy that refuses. */
  readonly strike: FaultStep | { readonly socket: string } | { readonly proxyStatus: number };
}

export interface FaultGroup {
  readonly title: string;
  readonly call: 'generate' | 'search' | 'answer';
  readonly cases: readonly FaultCase[];
}

const SOCKETS: readonly FaultCase[] = [
  { condition: 'connection refused', strike: { socket: 'ECONNREFUSED' } },
  { condition: 'host name not found', strike: { socket: 'ENOTFOUND' } },
  { condition: 'no connection in time', strike: { socket: 'UND_ERR_CONNECT_TIMEOUT' } },
  { condition: 'certificate of an unknown CA', strike: { socket: 'SELF_SIGNED_CERT_IN_CHAIN' } },
  { condition: 'proxy refuses the tunnel', strike: { proxyStatus: 403 } },
  { condition: 'proxy has no way to the provider', strike: { proxyStatus: 502 } },
  { condition: 'no more open files', strike: { socket: 'EMFILE' } },
];

const HTTP: readonly FaultCase[] = [
  { condition: '401, key unknown', strike: { fault: 'invalid_key' } },
  { condition: '403', strike: { fault: 'forbidden' } },
  { condition: '403 with a web page', strike: { fault: 'blocked' } },
  { condition: '401 of a gateway that asks for a login', strike: { fault: 'login_page' } },
  { condition: '422, JSON', strike: { fault: 'invalid_422' } },
  { condition: '429, too many requests', strike: { fault: 'rate_limit' } },
  { condition: '429 with Retry-After: 2', strike: { fault: 'retry_after', retryAfter: 2 } },
  { condition: '500', strike: { fault: 'server_error' } },
  { condition: '502, HTML', strike: { fault: 'bad_gateway_html' } },
  { condition: '307 to another host', strike: { fault: 'redirect' } },
  { condition: '200 with an HTML page', strike: { fault: 'html_200' } },
  { condition: 'reset before the first byte', strike: { fault: 'reset' } },
  { condition: 'not one byte', strike: { fault: 'never_answers' } },
  { condition: 'keep-alives and nothing else', strike: { fault: 'keep_alive_for_ever' } },
  { condition: 'error text that quotes the key', strike: { fault: 'echo_authorization' } },
];

export const FAULTS: readonly FaultGroup[] = [
  {
    title: '`deepseek_generate_code`',
    call: 'generate',
    cases: [
      ...SOCKETS,
      ...HTTP,
      { condition: '400, unknown model', strike: { fault: 'bad_model' } },
      { condition: '400, max_tokens out of range', strike: { fault: 'bad_max_tokens' } },
      { condition: '400, longer than the context window', strike: { fault: 'too_long' } },
      { condition: '413, HTML', strike: { fault: 'too_large' } },
      { condition: '400, content filter', strike: { fault: 'moderation' } },
      { condition: '401, plain text', strike: { fault: 'invalid_key_plain' } },
      { condition: '402', strike: { fault: 'no_balance' } },
      { condition: '422, plain text', strike: { fault: 'invalid_422_text' } },
      { condition: '429 that names the balance', strike: { fault: 'balance_limit' } },
      { condition: 'rate limit under 200', strike: { fault: 'rate_limit_200' } },
      { condition: '503', strike: { fault: 'overloaded' } },
      { condition: '503 of a gateway, for an unknown model', strike: { fault: 'no_channel' } },
      { condition: 'keep-alives, then the answer', strike: { fault: 'blank_then_ok' } },
      { condition: 'keep-alives, then the end', strike: { fault: 'blank_then_eof' } },
      { condition: 'keep-alives, then a reset', strike: { fault: 'blank_then_reset' } },
      { condition: 'keep-alives between the chunks', strike: { fault: 'keep_alive_between' } },
      { condition: 'answer in pieces, with pauses', strike: { fault: 'slow_body', delayMs: 20 } },
      { condition: 'silence in the middle', strike: { fault: 'silent' } },
      { condition: 'end in the middle', strike: { fault: 'cut' } },
      { condition: 'reset in the middle', strike: { fault: 'reset_mid_content' } },
      { condition: 'error event in the middle', strike: { fault: 'error_event' } },
      { condition: 'broken JSON in the middle', strike: { fault: 'broken_json' } },
      { condition: 'finish reason, but no `[DONE]`', strike: { fault: 'no_done' } },
      { condition: '`length` without content', strike: { fault: 'length_empty' } },
      { condition: '`stop` without content', strike: { fault: 'stop_empty' } },
      { condition: '`content_filter`', strike: { fault: 'content_filter' } },
      {
        condition: '`insufficient_system_resource`',
        strike: { fault: 'insufficient_system_resource' },
      },
      { condition: '`aborted`', strike: { fault: 'aborted' } },
      { condition: 'an ending of another name', strike: { fault: 'unknown_ending' } },
      { condition: '`model_context_window_exceeded`', strike: { fault: 'context_ending' } },
      { condition: '`tool_calls`', strike: { fault: 'tool_calls' } },
      { condition: 'megabytes of text', strike: { fault: 'huge_text' } },
    ],
  },
  {
    title: '`perplexity_search`',
    call: 'search',
    cases: [
      ...SOCKETS,
      ...HTTP,
      { condition: '400, bad filter', strike: { fault: 'bad_filter' } },
      { condition: '401, out of credit', strike: { fault: 'no_credit' } },
      { condition: '401, HTML', strike: { fault: 'html_401' } },
      { condition: '403, the endpoint is retired', strike: { fault: 'retired' } },
      { condition: 'no results', strike: { fault: 'empty_results' } },
      { condition: '`null` for results', strike: { fault: 'null_results' } },
      { condition: '`null` dates', strike: { fault: 'null_dates' } },
      { condition: 'empty snippet', strike: { fault: 'empty_snippet' } },
      { condition: 'snippet of megabytes', strike: { fault: 'huge_snippet' } },
      { condition: 'undocumented fields', strike: { fault: 'unknown_fields' } },
      { condition: 'JSON cut off', strike: { fault: 'broken_json' } },
      { condition: 'reset in the middle', strike: { fault: 'reset_mid_content' } },
      { condition: 'silence in the middle', strike: { fault: 'silent' } },
    ],
  },
  {
    title: '`perplexity_search` with `answer`',
    call: 'answer',
    cases: [
      { condition: '401, out of credit', strike: { fault: 'no_credit' } },
      { condition: '429, too many requests', strike: { fault: 'rate_limit' } },
      { condition: 'run failed, under 200', strike: { fault: 'failed' } },
      { condition: 'run cancelled upstream, under 200', strike: { fault: 'cancelled' } },
      { condition: 'run incomplete', strike: { fault: 'incomplete' } },
      { condition: 'run incomplete for the content filter', strike: { fault: 'filtered' } },
      { condition: 'run called complete, that failed', strike: { fault: 'completed_failed' } },
      { condition: 'bare error event', strike: { fault: 'error_event' } },
      { condition: 'no terminal event', strike: { fault: 'cut' } },
      { condition: 'reset in the middle', strike: { fault: 'reset_mid_content' } },
      { condition: 'silence in the middle', strike: { fault: 'silent' } },
      { condition: 'keep-alives and nothing else', strike: { fault: 'keep_alive_for_ever' } },
      { condition: 'events that nobody documented', strike: { fault: 'unknown_events' } },
    ],
  },
];
