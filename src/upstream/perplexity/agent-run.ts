/**
 * What the events of an Agent run add up to. Unknown events are ignored; exactly one terminal event
 * ends a run, and failed ones come under HTTP 200.
 */

import type { Expectation } from '../wire/events.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../wire/foreign-json.ts';
import type { Source } from './search.ts';
import { readCited } from './sources.ts';

export type RunStatus = 'running' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

const STATUSES: ReadonlyMap<string, RunStatus> = new Map([
  ['completed', 'completed'],
  ['incomplete', 'incomplete'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
]);
/** What a run is where its event says one thing and its own status another. */
const WORST: readonly RunStatus[] = ['failed', 'cancelled', 'incomplete', 'completed'];
/** Sent when a run starts, and perhaps again while it waits: no sign that it gets anywhere. */
const MERE_STATUS = new Set(['response.created', 'response.queued', 'response.in_progress']);

const MAX_ANSWER = 2_000_000;
const RUN_ID = /^[\w-]{1,128}$/;

function outputOf(response: Fields, type: string): Fields[] {
  return listOf(response.output)
    .map(fieldsOf)
    .filter((item) => item.type === type);
}

/** A refusal is what the model has to say, in a part of its own (OpenAI's Responses API). */
const TEXT_DELTAS = new Set(['response.output_text.delta', 'response.refusal.delta']);

function messageText(response: Fields): string {
  return outputOf(response, 'message')
    .flatMap((item) => listOf(item.content).map(fieldsOf))
    .map((part) => textOf(part.text) ?? textOf(part.refusal) ?? '')
    .join('');
}

/** Seen as an object and as a bare number. Its parts do not add up to the total: tools have models. */
function costOf(cost: unknown): number | null {
  const total = typeof cost === 'number' ? cost : fieldsOf(cost).total_cost;
  return typeof total === 'number' && Number.isFinite(total) && total >= 0 ? total : null;
}

/** The status that an event of this type ends a run with; null for all others. */
function terminalStatus(type: string): RunStatus | null {
  if (type === 'error') return 'failed';
  return type.startsWith('response.') ? (STATUSES.get(type.slice(9)) ?? null) : null;
}

export class AgentRun {
  #id: string | null = null;
  #status: RunStatus = 'running';
  #text = '';
  /** Results in the order in which they came, those of every search. */
  readonly #results: unknown[] = [];
  #finalResults: readonly unknown[] = [];
  #error: Fields = {};
  #costUsd: number | null = null;
  #reason: string | null = null;

  /** For the cancel; null until the upstream told it. */
  get id(): string | null {
    return this.#id;
  }

  get status(): RunStatus {
    return this.#status;
  }

  get text(): string {
    return this.#text.slice(0, MAX_ANSWER);
  }

  /** Under the numbers that the answer cites them by. */
  get sources(): readonly Source[] {
    return readCited(this.#finalResults.length > 0 ? this.#finalResults : this.#results);
  }

  /** What the run cost, in dollars; null until it is told, and for a cancelled run always. */
  get costUsd(): number | null {
    return this.#costUsd;
  }

  /** What a failed run says about itself, as the body of an error. */
  get error(): Fields {
    return this.#error;
  }

  /** Why a run is incomplete, in the upstream's word; null when it does not say. */
  get reason(): string | null {
    return this.#reason;
  }

  /**
   * @param onContent hears of every event that shows the run at work
   * @returns whether more is to come
   */
  apply(event: Fields, onContent: (message: string) => void): Expectation {
    const type = textOf(event.type) ?? '';
    const response = fieldsOf(event.response);
    this.#noteId(response);
    const terminal = terminalStatus(type);
    if (terminal !== null) {
      this.#end(terminal, event, response);
      return 'last';
    }
    if (!MERE_STATUS.has(type)) {
      this.#note(type, event);
      onContent(this.#activity(type, event));
    }
    return 'more';
  }

  /** A run that came in one piece. */
  applyWhole(response: Fields): void {
    this.#noteId(response);
    const status = STATUSES.get(textOf(response.status) ?? '');
    if (status !== undefined) this.#end(status, {}, response);
  }

  #noteId(response: Fields): void {
    const id = textOf(response.id);
    if (this.#id === null && id !== null && RUN_ID.test(id)) this.#id = id;
  }

  #note(type: string, event: Fields): void {
    if (TEXT_DELTAS.has(type) && this.#text.length < MAX_ANSWER) {
      this.#text += textOf(event.delta) ?? '';
    }
    const item = fieldsOf(event.item);
    if (type.endsWith('.search_results')) this.#collect(event.results);
    if (item.type === 'search_results') this.#collect(item.results);
  }

  /** The same results come with the search and again with its item. */
  #collect(results: unknown): void {
    const known = new Set(this.#results.map((each) => fieldsOf(each).url));
    for (const each of listOf(results)) {
      const { url } = fieldsOf(each);
      if (url === undefined || !known.has(url)) this.#results.push(each);
    }
  }

  #end(announced: RunStatus, event: Fields, response: Fields): void {
    const error = [response.error, event.error].find((each) => each !== undefined && each !== null);
    const told = STATUSES.get(textOf(response.status) ?? '') ?? announced;
    // Whatever it is called: with an error of its own no run is a success.
    const hasFailed = error !== undefined && told === 'completed';
    const found: readonly RunStatus[] = [
      announced,
      told,
      ...(hasFailed ? ['failed' as const] : []),
    ];
    this.#status = WORST.find((status) => found.includes(status)) ?? announced;
    this.#error = error === undefined ? event : { error };
    this.#reason = textOf(fieldsOf(response.incomplete_details).reason);
    this.#costUsd = costOf(fieldsOf(response.usage).cost);
    const text = messageText(response);
    if (text !== '') this.#text = text;
    this.#finalResults = outputOf(response, 'search_results').flatMap((item) =>
      listOf(item.results),
    );
  }

  #activity(type: string, event: Fields): string {
    if (this.#text !== '') return 'writing the answer';
    if (type.endsWith('.search_queries')) return 'searching the web';
    if (type.endsWith('.search_results')) {
      return `reading ${listOf(event.results).length} search results`;
    }
    return type.includes('fetch_url') ? 'reading pages' : 'working on the answer';
  }
}
