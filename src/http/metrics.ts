/**
 * One prom-client Registry with named instruments. Imported only by who
 * serves `/metrics`: the stdio server has no reader for them.
 *
 * Label sets are bounded: key ids and accounts are the operator's, outcomes and tools are closed
 * lists. Of a secret nothing but its key id appears.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PROVIDERS, type Provider } from '../base/errors.ts';
import type { AttemptEvent, PoolObserver } from '../pool/observer.ts';
import type { BreakerState, PoolSnapshot, ProviderSnapshot } from '../pool/snapshot.ts';
import { createMoneyMetrics, type MoneyMetrics } from './money-metrics.ts';
import { createSharingMetrics, type SharingMetrics } from './sharing-metrics.ts';

/** One finished tool call; `outcome` is a word of a closed list. */
export interface ToolCallSample {
  readonly tool: string;
  readonly outcome: string;
  readonly durationMs: number;
  /** A client with a token of its own; null for the owner. */
  readonly caller?: string | null;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface Metrics {
  /** To be given to the pool. */
  readonly observer: PoolObserver;
  toolCallEnded(sample: ToolCallSample): void;
  /** @param status of the answer */
  requestRefused(status: number): void;
  readonly money: MoneyMetrics;
  readonly sharing: Pick<SharingMetrics, 'show'>;
  /** Text exposition. Gauges show `snapshot`; null where no pool is open. */
  render(snapshot: PoolSnapshot | null): Promise<MetricsText>;
}

const BREAKER_VALUE: Readonly<Record<BreakerState, number>> = {
  closed: 0,
  'half-open': 1,
  open: 2,
};

/** Seconds. A search answers in tenths, a long generation takes minutes. */
const CALL_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];
const WAIT_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

interface ProviderInstruments {
  readonly requests: Counter<'key_id' | 'outcome'>;
  readonly duration: Histogram<'key_id'>;
  readonly tokens: Counter<'key_id' | 'type'>;
  readonly failovers: Counter<'reason'>;
  readonly queueWait: Histogram;
  readonly breaker: Gauge<'key_id'>;
  readonly score: Gauge<'key_id'>;
  readonly inFlight: Gauge<'key_id'>;
  readonly limit: Gauge<'account'>;
  readonly queueDepth: Gauge;
  readonly disabled: Gauge<'key_id'>;
  readonly cooling: Gauge<'account'>;
}

function providerInstruments(provider: Provider, registry: Registry): ProviderInstruments {
  const common = (name: string, help: string) => ({
    name: `${provider}_${name}`,
    help,
    registers: [registry],
  });
  const byKey = { labelNames: ['key_id'] } as const;
  return {
    requests: new Counter({
      ...common('requests_total', 'Attempts at the upstream by key and outcome.'),
      labelNames: ['key_id', 'outcome'],
    }),
    duration: new Histogram({
      ...common('request_duration_seconds', 'Duration of attempts, cancelled ones left out.'),
      ...byKey,
      buckets: CALL_BUCKETS,
    }),
    tokens: new Counter({
      ...common('tokens_total', 'Tokens that the upstream counted.'),
      labelNames: ['key_id', 'type'],
    }),
    failovers: new Counter({
      ...common('failovers_total', 'Calls that went on with another attempt, by reason.'),
      labelNames: ['reason'],
    }),
    queueWait: new Histogram({
      ...common('queue_wait_seconds', 'Time that calls waited for a key.'),
      buckets: WAIT_BUCKETS,
    }),
    breaker: new Gauge({
      ...common('circuit_breaker_state', 'Breaker of a key: 0 closed, 1 half-open, 2 open.'),
      ...byKey,
    }),
    score: new Gauge({ ...common('key_score', 'Health of a key, 0 to 100.'), ...byKey }),
    inFlight: new Gauge({ ...common('inflight_requests', 'Attempts in flight.'), ...byKey }),
    limit: new Gauge({
      ...common('concurrency_limit', 'Working concurrency limit of an account.'),
      labelNames: ['account'],
    }),
    queueDepth: new Gauge(common('queue_depth', 'Calls that wait for a key.')),
    disabled: new Gauge({
      ...common('key_disabled', '1 for a key that is out until the upstream takes it again.'),
      ...byKey,
    }),
    cooling: new Gauge({
      ...common('account_cooling_seconds', 'For how long an account has been cooling; 0: not.'),
      labelNames: ['account'],
    }),
  };
}

function recordAttempt(instruments: ProviderInstruments, event: AttemptEvent): void {
  const key = { key_id: event.keyId };
  instruments.requests.inc({ ...key, outcome: event.outcome });
  // How long a caller cared to wait says nothing about the upstream (pool.md, 2i).
  if (event.outcome !== 'cancelled') instruments.duration.observe(key, event.durationMs / 1000);
  if (event.promptTokens > 0)
    instruments.tokens.inc({ ...key, type: 'prompt' }, event.promptTokens);
  if (event.completionTokens > 0) {
    instruments.tokens.inc({ ...key, type: 'completion' }, event.completionTokens);
  }
}

/** Gauges start anew at each scrape, so that a removed key leaves no series behind. */
function showState(instruments: ProviderInstruments, state: ProviderSnapshot | undefined): void {
  const { breaker, score, inFlight, limit, queueDepth, disabled, cooling } = instruments;
  for (const gauge of [breaker, score, inFlight, limit, disabled, cooling]) gauge.reset();
  queueDepth.set(state?.queueDepth ?? 0);
  for (const key of state?.keys ?? []) {
    const labels = { key_id: key.keyId };
    breaker.set(labels, BREAKER_VALUE[key.breaker]);
    score.set(labels, key.score);
    inFlight.set(labels, key.inFlight);
    disabled.set(labels, key.state === 'disabled' ? 1 : 0);
  }
  for (const { account, limits, coolingForMs } of state?.accounts ?? []) {
    cooling.set({ account }, (coolingForMs ?? 0) / 1000);
    // Limits are found per model; the account's is the widest of them.
    if (limits.length > 0) limit.set({ account }, Math.max(...limits.map((each) => each.limit)));
  }
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const providers: Readonly<Record<Provider, ProviderInstruments>> = {
    deepseek: providerInstruments('deepseek', registry),
    perplexity: providerInstruments('perplexity', registry),
  };
  const toolCalls = new Counter({
    name: 'mcp_tool_calls_total',
    help: 'Tool calls by tool and outcome.',
    labelNames: ['tool', 'outcome'],
    registers: [registry],
  });
  const toolDuration = new Histogram({
    name: 'mcp_tool_call_duration_seconds',
    help: 'Duration of tool calls, waiting and failover included.',
    labelNames: ['tool'],
    buckets: CALL_BUCKETS,
    registers: [registry],
  });
  const clientCalls = new Counter({
    name: 'mcp_client_calls_total',
    help: 'Tool calls by the name of the client that has a token of its own.',
    labelNames: ['client', 'tool', 'outcome'],
    registers: [registry],
  });
  const refused = new Counter({
    name: 'http_refused_requests_total',
    help: 'HTTP requests that were refused at the door, by status.',
    labelNames: ['status'],
    registers: [registry],
  });
  const sharing = createSharingMetrics(registry);
  return {
    observer: {
      attemptEnded: (event) => recordAttempt(providers[event.provider], event),
      failedOver: ({ provider, reason }) => providers[provider].failovers.inc({ reason }),
      leftQueue: ({ provider, waitedMs }) => providers[provider].queueWait.observe(waitedMs / 1000),
    },
    toolCallEnded: ({ tool, outcome, durationMs, caller = null }) => {
      toolCalls.inc({ tool, outcome });
      if (caller !== null) clientCalls.inc({ client: caller, tool, outcome });
      if (outcome !== 'cancelled') toolDuration.observe({ tool }, durationMs / 1000);
    },
    requestRefused: (status) => refused.inc({ status }),
    money: createMoneyMetrics(registry),
    sharing,
    render: async (snapshot) => {
      for (const provider of PROVIDERS) {
        const state = snapshot?.providers.find((each) => each.provider === provider);
        showState(providers[provider], state);
        sharing.showProvider(provider, state);
      }
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
