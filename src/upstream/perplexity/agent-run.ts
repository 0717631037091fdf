/**
 * What the events of an Agent run add up to. Unknown events are ignored; exactly one terminal event
 * ends a run, and failed ones come under HTTP 200.
 */

import type { Expectation } from '../wire/events.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../wire/json.ts';
import type { Source } from './search.ts';
import { readSources } from './sources.ts';

export type RunStatus = 'running' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

const TERMINAL: ReadonlyMap<string, RunStatus> = new Map([
  ['response.completed', 'completed'],
  ['response.incomplete', 'incomplete'],
  ['response.failed', 'failed'],
  ['response.cancelled', 'cancelled'],
  ['error', 'failed'],
]);
/** Sent when a run starts, and perhaps again while it waits: no sign that it gets anywhere. */
const MERE_STATUS = new Set(['response.created', 'response.queued', 'response.in_progress']);

const MAX_ANSWER = 2_000_000;
const MAX_SOURCES = 200;
const RUN_ID = /^[\w-]{1,128}$/;

function outputOf(response: Fields, type: string): Fields[] {
  return listOf(response.output)
    .map(fieldsOf)
    .filter((item) => item.type === type);
}

function messageText(response: Fields): string {
  return outputOf(response, 'message')
    .flatMap((item) => listOf(item.content).map(fieldsOf))
    .map((part) => textOf(part.text) ?? '')
    .join('');
}

/** Seen as an object and as a bare number. Its parts do not add up to the total: tools have models. */
function costOf(cost: unknown): number | null {
  const total = typeof cost === 'number' ? cost : fieldsOf(cost).total_cost;
  return typeof total === 'number' && Number.isFinite(total) && total >= 0 ? total : null;
}

export class AgentRun {
  #id: string | null = null;
  #status: RunStatus = 'running';
  #text = '';
  readonly #sources = new Map<string, Source>();
  #finalSources: readonly Source[] = [];
  #error: Fields = {};
  #costUsd: number | null = null;

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

  /** In the order that the answer's citations count in. */
  get sources(): readonly Source[] {
    const seen = this.#finalSources.length > 0 ? this.#finalSources : [...this.#sources.values()];
    return seen.slice(0, MAX_SOURCES);
  }

  /** What the run cost, in dollars; null until it is told, and for a cancelled run always. */
  get costUsd(): number | null {
    return this.#costUsd;
  }

  /** What a failed run says about itself. */
  get error(): Fields {
    return this.#error;
  }

  /** True once something was searched, thought or written: it will be billed. */
  get hasStarted(): boolean {
    return this.#text !== '' || this.#sources.size > 0;
  }

  /**
   * @param onContent hears of every event that shows the run at work
   * @returns whether more is to come
   */
  apply(event: Fields, onContent: (message: string) => void): Expectation {
    const type = textOf(event.type) ?? '';
    const response = fieldsOf(event.response);
    this.#noteId(response);
    const terminal = TERMINAL.get(type);
    if (terminal !== undefined) {
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
    const status = textOf(response.status) ?? '';
    this.#end(TERMINAL.get(`response.${status}`) ?? 'running', {}, response);
  }

  #noteId(response: Fields): void {
    const id = textOf(response.id);
    if (this.#id === null && id !== null && RUN_ID.test(id)) this.#id = id;
  }

  #note(type: string, event: Fields): void {
    if (type === 'response.output_text.delta' && this.#text.length < MAX_ANSWER) {
      this.#text += textOf(event.delta) ?? '';
    }
    const item = fieldsOf(event.item);
    if (type.endsWith('.search_results')) this.#collect(event.results);
    if (item.type === 'search_results') this.#collect(item.results);
  }

  #collect(results: unknown): void {
    for (const source of readSources(results)) {
      if (this.#sources.size < MAX_SOURCES && !this.#sources.has(source.url)) {
        this.#sources.set(source.url, source);
      }
    }
  }

  #end(status: RunStatus, event: Fields, response: Fields): void {
    this.#status = status;
    this.#error = fieldsOf(response.error ?? event.error ?? event);
    this.#costUsd = costOf(fieldsOf(response.usage).cost);
    const text = messageText(response);
    if (text !== '') this.#text = text;
    this.#finalSources = outputOf(response, 'search_results').flatMap((item) =>
      readSources(item.results),
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
