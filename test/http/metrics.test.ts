import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import type { AttemptEvent, Outcome } from '../../src/pool/observer.ts';
import type { KeySnapshot, PoolSnapshot } from '../../src/pool/snapshot.ts';
import type { SharingView } from '../../src/sharing/sharing-view.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('promtool is missing (Debian package prometheus): lint skipped');

function attempt(over: Partial<AttemptEvent> = {}): AttemptEvent {
  return {
    provider: 'deepseek',
    keyName: 'DEEPSEEK_API_KEY',
    keyId: '337242',
    account: 'main',
    outcome: 'ok',
    durationMs: 1500,
    promptTokens: 10,
    completionTokens: 20,
    ...over,
  };
}

function key(over: Partial<KeySnapshot> = {}): KeySnapshot {
  return {
    name: 'DEEPSEEK_API_KEY',
    keyId: '337242',
    account: 'main',
    state: 'ready',
    reason: null,
    retryInMs: null,
    score: 87.5,
    breaker: 'half-open',
    inFlight: 3,
    attempts: 1,
    successes: 1,
    failures: 0,
    latencyMs: 1500,
    firstByteMs: 300,
    promptTokens: 10,
    completionTokens: 20,
    lastUsedAt: null,
    lastError: null,
    ...over,
  };
}

function snapshot(keys: readonly KeySnapshot[]): PoolSnapshot {
  const limits = [
    { model: 'deepseek-flash', limit: 8, inFlight: 3, perSecond: null, share: 5, elsewhere: 2 },
    { model: 'deepseek-pro', limit: 4, inFlight: 0, perSecond: null, share: null, elsewhere: 1 },
  ];
  const deepseek = {
    provider: 'deepseek',
    breaker: 'closed',
    retryInMs: null,
    queueDepth: 2,
    oldestWaitMs: 10,
    accounts: [
      {
        account: 'main',
        keys: [],
        found: false,
        advice: null,
        inFlight: 3,
        coolingMs: 4_000,
        coolingForMs: 75_500,
        reason: 'rate limited',
        limits,
      },
    ],
    keys,
  } as const;
  return { takenAt: '2026-01-01T00:00:00.000Z', providers: [deepseek] };
}

const SHARING: SharingView = {
  state: 'up',
  over: 'socket',
  since: '2026-01-01T00:00:00.000Z',
  role: 'member',
  problem: null,
  processes: [
    { client: 'cursor', isSelf: false, inFlight: 2, waiting: 0, share: 2 },
    { client: 'claude-code', isSelf: true, inFlight: 3, waiting: 4, share: 3 },
    { client: 'claude-code', isSelf: false, inFlight: 1, waiting: 0, share: 1 },
  ],
};

async function exposed(): Promise<string> {
  const metrics = createMetrics();
  for (const provider of ['deepseek', 'perplexity'] as const) {
    metrics.observer.attemptEnded?.(attempt({ provider }));
    metrics.observer.failedOver?.({ provider, reason: 'key_rejected' });
    metrics.observer.leftQueue?.({ provider, waitedMs: 250 });
  }
  metrics.toolCallEnded({ tool: 'deepseek_generate_code', outcome: 'ok', durationMs: 2000 });
  const spent = { keyId: '337242', model: 'deepseek-flash', period: 'peak', usd: 0.002 };
  metrics.money.spent({ ...spent, provider: 'deepseek' });
  metrics.money.spent({ ...spent, provider: 'perplexity', period: null });
  metrics.money.balanceRead({ account: 'main', currency: 'CNY', amount: 4.2 });
  metrics.money.showBudgets([{ budget: '5/day', ratio: 0.8 }]);
  metrics.sharing.show(SHARING);
  return (await metrics.render(snapshot([key()]))).text;
}

describe('metrics', () => {
  it('carry the names and labels users already scrape', async () => {
    const lines = (await exposed()).split('\n');
    for (const line of [
      'deepseek_requests_total{key_id="337242",outcome="ok"} 1',
      'deepseek_circuit_breaker_state{key_id="337242"} 1',
      'deepseek_key_score{key_id="337242"} 87.5',
      'deepseek_request_duration_seconds_sum{key_id="337242"} 1.5',
      'deepseek_inflight_requests{key_id="337242"} 3',
      'deepseek_concurrency_limit{account="main"} 8',
      'deepseek_queue_depth 2',
      'deepseek_key_disabled{key_id="337242"} 0',
      'deepseek_account_cooling_seconds{account="main"} 75.5',
      'deepseek_queue_wait_seconds_sum 0.25',
      'deepseek_failovers_total{reason="key_rejected"} 1',
      'deepseek_tokens_total{key_id="337242",type="prompt"} 10',
      'deepseek_tokens_total{key_id="337242",type="completion"} 20',
      'perplexity_requests_total{key_id="337242",outcome="ok"} 1',
      'perplexity_queue_depth 0',
      'deepseek_cost_usd_total{key_id="337242",model="deepseek-flash",period="peak"} 0.002',
      'perplexity_cost_usd_total{key_id="337242"} 0.002',
      'deepseek_account_balance{account="main",currency="CNY"} 4.2',
      'keypool_budget_spent_ratio{budget="5/day"} 0.8',
      'keypool_sharing_up{over="socket"} 1',
      'keypool_sharing_processes{client="claude-code"} 2',
      'keypool_sharing_inflight_requests{client="claude-code"} 4',
      'keypool_sharing_slots{client="cursor"} 2',
      'keypool_elsewhere_requests{provider="deepseek",account="main"} 3',
      'mcp_tool_calls_total{tool="deepseek_generate_code",outcome="ok"} 1',
      'mcp_tool_call_duration_seconds_sum{tool="deepseek_generate_code"} 2',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('say that sharing is down, and nothing where it is off', async () => {
    const metrics = createMetrics();
    metrics.sharing.show({ ...SHARING, state: 'down', processes: [] });
    expect((await metrics.render(null)).text).toContain('keypool_sharing_up{over="socket"} 0');
    metrics.sharing.show({ ...SHARING, state: 'off', over: null });
    expect((await metrics.render(null)).text).not.toMatch(/^keypool_sharing_up\{/m);
  });

  it('count a cancelled attempt but keep its duration out of the histogram', async () => {
    const metrics = createMetrics();
    const cancelled: Outcome = 'cancelled';
    metrics.observer.attemptEnded?.(attempt({ outcome: cancelled, completionTokens: 0 }));
    metrics.toolCallEnded({ tool: 'perplexity_search', outcome: cancelled, durationMs: 9000 });
    const { text } = await metrics.render(null);
    expect(text).toContain('deepseek_requests_total{key_id="337242",outcome="cancelled"} 1');
    expect(text).toContain('mcp_tool_calls_total{tool="perplexity_search",outcome="cancelled"} 1');
    expect(text).not.toContain('deepseek_request_duration_seconds_count{key_id="337242"}');
    expect(text).not.toContain('mcp_tool_call_duration_seconds_count{');
  });

  it('forget the state of a key that was removed', async () => {
    const metrics = createMetrics();
    const gone = key({ name: 'DEEPSEEK_API_KEY_2', keyId: 'gone42' });
    expect((await metrics.render(snapshot([key(), gone]))).text).toContain('gone42');
    expect((await metrics.render(snapshot([key()]))).text).not.toContain('gone42');
  });

  it.skipIf(!hasPromtool)('leave promtool nothing to say', async () => {
    for (const text of [await exposed(), (await createMetrics().render(null)).text]) {
      const said = execFileSync('promtool', ['check', 'metrics'], { input: text });
      expect(said.toString()).toBe('');
    }
  });
});
