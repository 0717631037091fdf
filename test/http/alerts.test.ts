import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('promtool is missing (Debian package prometheus): rules unchecked');

const RULES = fileURLToPath(new URL('../../docs/alerts.yml', import.meta.url));

/** What promtool makes of the rules when a series has these values, one a minute. */
const UNIT_TEST = `
rule_files: [${RULES}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: keypool_budget_spent_ratio{budget="5/day"}
        values: '0.79 0.81 0.99 1 1.004'
    alert_rule_test:
      - {eval_time: 0m, alertname: KeypoolBudgetNearlySpent, exp_alerts: []}
      - eval_time: 2m
        alertname: KeypoolBudgetNearlySpent
        exp_alerts:
          - exp_labels: {severity: warning, budget: 5/day}
            exp_annotations:
              summary: Budget 5/day is spent to 99%
              action: keypool-mcp usage; keypool-mcp budget list
      - {eval_time: 4m, alertname: KeypoolBudgetNearlySpent, exp_alerts: []}
      - eval_time: 4m
        alertname: KeypoolBudgetSpent
        exp_alerts:
          - exp_labels: {severity: critical, budget: 5/day}
            exp_annotations:
              summary: 'Budget 5/day is spent: calls are refused until it begins anew'
              action: keypool-mcp budget set, if they shall go on
  - interval: 1m
    input_series:
      - series: deepseek_key_disabled{key_id="abc123"}
        values: '0 1 1'
      - series: perplexity_account_cooling_seconds{account="team"}
        values: '0 55 115 0'
      - series: deepseek_circuit_breaker_state{key_id="abc123"}
        values: '0 2 2'
    alert_rule_test:
      - {eval_time: 0m, alertname: KeypoolKeyDisabled, exp_alerts: []}
      - eval_time: 1m
        alertname: KeypoolKeyDisabled
        exp_alerts:
          - exp_labels: {severity: warning, key_id: abc123}
            exp_annotations:
              summary: Key abc123 does not serve
              action: keypool-mcp keys verify
      - {eval_time: 1m, alertname: KeypoolAccountCooling, exp_alerts: []}
      - eval_time: 2m
        alertname: KeypoolAccountCooling
        exp_alerts:
          - exp_labels: {severity: warning, account: team}
            exp_annotations:
              summary: Account team has been cooling for 1m 55s
              action: Send fewer calls at once, or add a key of another account
      - {eval_time: 3m, alertname: KeypoolAccountCooling, exp_alerts: []}
      - {eval_time: 1m, alertname: KeypoolBreakerOpen, exp_alerts: []}
      - eval_time: 2m
        alertname: KeypoolBreakerOpen
        exp_alerts:
          - exp_labels: {severity: warning, key_id: abc123}
            exp_annotations:
              summary: The breaker of key abc123 has been open for more than a minute
              action: See the dashboard for the reason
  - interval: 1m
    input_series:
      - series: deepseek_account_balance{account="main",currency="USD"}
        values: '20x1600'
      - series: deepseek_cost_usd_total{key_id="abc123",model="deepseek-flash",period="peak"}
        values: '0+0.01x1600'
    alert_rule_test:
      - eval_time: 25h
        alertname: KeypoolBalanceRunsOut
        exp_alerts:
          - exp_labels: {severity: warning, account: main, currency: USD}
            exp_annotations:
              summary: Account main has $20 left, less than three days at the present rate
              action: 'Top it up, or set a budget: keypool-mcp budget set'
`;

describe('the alert rules of docs/', () => {
  it('ask for metrics that there are', async () => {
    const { text } = await createMetrics().render(null);
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const asked = readFileSync(RULES, 'utf8').match(/\b(?:deepseek|perplexity|keypool)_[a-z_]+\b/g);
    expect(asked?.length).toBeGreaterThan(5);
    for (const name of asked ?? []) expect(known).toContain(name);
  });

  it.skipIf(!hasPromtool)('are rules, and fire when they should', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keypool-rules-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'test.yml');
    writeFileSync(file, UNIT_TEST);
    const checked = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    const tested = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(tested.status, tested.stdout + tested.stderr).toBe(0);
  });
});
