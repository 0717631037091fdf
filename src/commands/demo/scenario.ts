/**
 * The demo's story, step by step. Nothing is claimed that was not observed: each claim is computed
 * from what the client got, what the status resource says and what the simulator logged.
 */

import { isRecord } from '../../base/text/json.ts';
import type { KeySnapshot, PoolSnapshot } from '../../pool/snapshot.ts';
import type { DemoCall, DemoClaim, DemoView } from './demo-view.ts';
import { DEEPSEEK_NAMES, DemoStage } from './stage.ts';

export interface DemoReport {
  readonly simulated: true;
  readonly ok: boolean;
  readonly durationMs: number;
  readonly calls: readonly DemoCall[];
  /** The keys as the server showed them after each step. */
  readonly keys: Readonly<Record<string, readonly KeySnapshot[]>>;
  readonly claims: readonly DemoClaim[];
}

const FAILING = 'DEEPSEEK_API_KEY_3';
const BURST = 12;
/** A breaker that opened is tried again within seconds; twice that is enough to wait. */
const RECOVERY_MS = 15_000;

const PROMPTS = [
  ['Write a function that parses an ISO 8601 duration', 'typescript'],
  ['Write a debounce function with a leading edge option', 'typescript'],
  ['Write a generator that walks a binary tree in order', 'python'],
  ['Write a rate limiter with a token bucket', 'go'],
] as const;

export class DemoScenario {
  readonly #stage: DemoStage;
  readonly #view: DemoView;
  readonly #started = performance.now();
  readonly #calls: DemoCall[] = [];
  readonly #claims: DemoClaim[] = [];
  readonly #keys: Record<string, readonly KeySnapshot[]> = {};

  constructor(stage: DemoStage, view: DemoView) {
    this.#stage = stage;
    this.#view = view;
  }

  async play(): Promise<void> {
    this.#view.title();
    await this.#prepare();
    await this.#takeTurns();
    await this.#failOneKey();
    await this.#recover();
    await this.#search();
  }

  /** Takes everything away and sums up. */
  async end(): Promise<DemoReport> {
    this.#view.step(6, 'What was observed');
    this.#claim(...this.#secrecyClaims());
    const nothingLeft = await this.#stage.clear();
    this.#claim({ text: 'the server and the temporary store are gone', observed: nothingLeft });
    this.#view.claims(this.#claims);
    const ok = this.#claims.every((claim) => claim.observed);
    const durationMs = Math.round(performance.now() - this.#started);
    this.#view.ending(ok, (durationMs / 1000).toFixed(1));
    return {
      simulated: true,
      ok,
      durationMs,
      calls: this.#calls,
      keys: this.#keys,
      claims: this.#claims,
    };
  }

  async #prepare(): Promise<void> {
    this.#view.step(1, 'An encrypted store with five keys, and the real server');
    for (const key of this.#stage.keys) {
      const provider = key.name.startsWith('DEEPSEEK') ? 'deepseek' : 'perplexity';
      this.#stage.simulator.addKey(key.secret, {
        provider,
        account: key.account,
        capacity: 8,
        ttftMs: 120,
        tokensPerSecond: 900,
        jitter: 0.3,
      });
    }
    await this.#stage.fillStore();
    this.#view.fact('store', 'four DeepSeek keys on four accounts, one Perplexity key');
    const readyMs = await this.#stage.startServer();
    const { tools } = await this.#stage.client.listTools();
    const names = tools.map((tool) => tool.name);
    this.#view.fact('server', `started over stdio, handshake after ${readyMs.toFixed(0)} ms`);
    this.#view.fact('tools', names.join(', '));
    this.#claim({
      text: 'the server offers both tools',
      observed: ['deepseek_generate_code', 'perplexity_search'].every((name) =>
        names.includes(name),
      ),
    });
  }

  async #takeTurns(): Promise<void> {
    this.#view.step(2, 'Four calls, one after the other: equal keys take turns');
    const calls: DemoCall[] = [];
    for (let index = 0; index < 4; index++) calls.push(await this.#generate(index));
    this.#claim({
      text: 'four calls were served by four different keys',
      observed: calls.every((call) => call.ok) && namesOf(calls).size === 4,
    });
  }

  async #failOneKey(): Promise<void> {
    this.#view.step(3, `${FAILING} starts to answer 500: ${BURST} calls at once`);
    this.#setFault(true);
    const calls = await Promise.all(
      Array.from({ length: BURST }, (_, index) => this.#generate(index)),
    );
    const keys = await this.#showKeys('failing');
    const failing = keys.find((key) => key.name === FAILING);
    this.#claim(
      {
        text: `all ${BURST} calls were answered, none of them by ${FAILING}`,
        observed: calls.every((call) => call.ok) && !namesOf(calls).has(FAILING),
      },
      {
        text: `calls that met the failing key went on with another one`,
        observed: calls.some((call) => call.attempts > 1),
      },
      {
        text: `the breaker of ${FAILING} opened, its score fell, the other breakers stayed closed`,
        observed:
          failing !== undefined &&
          failing.breaker !== 'closed' &&
          failing.score < 100 &&
          keys.every((key) => key.name === FAILING || key.breaker === 'closed'),
      },
    );
  }

  async #recover(): Promise<void> {
    this.#view.step(4, `${FAILING} works again: one probe, then its breaker closes`);
    this.#setFault(false);
    const until = performance.now() + RECOVERY_MS;
    let isClosed = false;
    while (!isClosed && performance.now() < until) {
      await this.#generate(this.#calls.length);
      const failing = deepseekKeys(await this.#stage.snapshot()).find(
        (key) => key.name === FAILING,
      );
      isClosed = failing?.breaker === 'closed';
    }
    await this.#showKeys('recovered');
    this.#claim({
      text: `${FAILING} came back by itself; its breaker is closed`,
      observed: isClosed,
    });
  }

  async #search(): Promise<void> {
    this.#view.step(5, 'A search, through the same pool');
    const query = 'circuit breaker pattern for API clients';
    const call = await this.#call('perplexity_search', { query, max_results: 3 });
    this.#claim({
      text: 'the search was served by the Perplexity key',
      observed: call.ok && call.keyName === 'PERPLEXITY_API_KEY',
    });
  }

  #setFault(fails: boolean): void {
    this.#stage.simulator.setBehaviour(this.#stage.secretOf(FAILING), {
      faults: fails ? [{ fault: 'server_error', times: Number.POSITIVE_INFINITY }] : [],
    });
  }

  #generate(index: number): Promise<DemoCall> {
    const [prompt, language] = PROMPTS[index % PROMPTS.length] ?? PROMPTS[0];
    return this.#call('deepseek_generate_code', { prompt, language });
  }

  async #call(tool: string, args: Record<string, unknown>): Promise<DemoCall> {
    const started = performance.now();
    const result = await this.#stage.client.callTool({ name: tool, arguments: args });
    const durationMs = performance.now() - started;
    const structured = isRecord(result.structuredContent) ? result.structuredContent : {};
    const record: DemoCall = {
      number: this.#calls.length + 1,
      tool,
      ok: result.isError !== true,
      keyName: typeof structured.key === 'string' ? structured.key : null,
      attempts: typeof structured.attempts === 'number' ? structured.attempts : 0,
      durationMs: Math.round(durationMs),
      summary: result.isError === true ? firstText(result.content) : summarize(structured),
    };
    this.#calls.push(record);
    this.#view.call(record);
    return record;
  }

  async #showKeys(step: string): Promise<readonly KeySnapshot[]> {
    const keys = deepseekKeys(await this.#stage.snapshot());
    this.#keys[step] = keys;
    this.#view.keys(keys);
    return keys;
  }

  #claim(...claims: DemoClaim[]): void {
    this.#claims.push(...claims);
  }

  #secrecyClaims(): DemoClaim[] {
    const seen = `${this.#stage.serverLog}${JSON.stringify(this.#calls)}`;
    const upstreamCalls = this.#stage.simulator.calls.length;
    return [
      {
        text: `no key appears in the results or in the server's log (${upstreamCalls} upstream calls)`,
        observed: this.#stage.keys.every((key) => !seen.includes(key.secret)),
      },
    ];
  }
}

/** Sets the stage, plays, and takes everything away whatever happens. */
export async function runDemo(view: DemoView, signal: AbortSignal): Promise<DemoReport> {
  const stage = await DemoStage.set(20_261_125);
  const scenario = new DemoScenario(stage, view);
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([scenario.play(), interrupted]);
  } catch (error) {
    await stage.clear();
    throw error;
  }
  return scenario.end();
}

function deepseekKeys(snapshot: PoolSnapshot): readonly KeySnapshot[] {
  const keys = snapshot.providers.find(({ provider }) => provider === 'deepseek')?.keys ?? [];
  return keys.filter((key) => DEEPSEEK_NAMES.includes(key.name));
}

function namesOf(calls: readonly DemoCall[]): Set<string> {
  return new Set(calls.flatMap((call) => (call.keyName === null ? [] : [call.keyName])));
}

function firstText(content: unknown): string {
  const [first] = Array.isArray(content) ? content : [];
  return isRecord(first) && typeof first.text === 'string' ? first.text : 'no text';
}

function summarize(structured: Record<string, unknown>): string {
  if (Array.isArray(structured.results)) return `${structured.results.length} sources`;
  const usage = isRecord(structured.usage) ? structured.usage : {};
  const tokens = typeof usage.completion_tokens === 'number' ? usage.completion_tokens : 0;
  return `${String(structured.language ?? 'code')}, ${tokens} tokens`;
}
