import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../src/base/logger.ts';
import { Redactor } from '../../../../src/base/redact.ts';
import { Alerts } from '../../../../src/commands/composition/money/alerts.ts';
import type { PoolFacts } from '../../../../src/usage/alerts/alert.ts';
import { entryAt, homeWith } from '../../../usage/entries.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const NO_FAULT: PoolFacts = { providers: [] };
const REJECTED: PoolFacts = {
  providers: [
    {
      accounts: [],
      keys: [
        {
          name: 'DEEPSEEK_API_KEY',
          keyId: 'abc123',
          account: 'main',
          state: 'disabled',
          reason: 'rejected by DeepSeek (401)',
        },
      ],
    },
  ],
};

function alertsOf(home = homeWith([])) {
  const lines: string[] = [];
  const state = { now: NOW, facts: NO_FAULT, looks: 0 };
  const logger = createLogger({
    level: 'info',
    redactor: new Redactor(),
    write: (line) => lines.push(line),
  });
  const alerts = new Alerts({
    home,
    hasLedger: true,
    logger,
    facts: () => {
      state.looks += 1;
      return state.facts;
    },
    now: () => state.now,
  });
  return { alerts, state, lines };
}

const reading = { at: NOW, provider: 'deepseek', account: 'main', currency: 'USD', amount: 3 };

describe('alerts', () => {
  it('look at the pool when an attempt failed, and else now and then', () => {
    const { alerts, state, lines } = alertsOf();
    expect(alerts.take(false)).toBeNull();
    state.facts = REJECTED;
    state.now += 1_000;
    expect(alerts.take(false)).toBeNull();
    expect(alerts.take(true)).toMatch(/^DEEPSEEK_API_KEY \(abc123\) does not serve/);
    expect(alerts.take(true)).toBeNull();
    for (let call = 0; call < 1_000; call++) alerts.take(false);
    expect(state.looks).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('A key does not serve');
  });

  it('say a balance that runs out by what the account spent in the last week', async () => {
    const usd = { estimate: 1, least: 1, most: 1, offPeak: 1 };
    const home = homeWith([
      entryAt('2026-11-26T12:30:00Z', { id: '1', usd }),
      entryAt('2026-11-27T11:00:00Z', { id: '2', usd }),
      entryAt('2026-11-27T11:30:00Z', { id: '3', usd, account: 'other' }),
    ]);
    const { alerts, lines } = alertsOf(home);
    alerts.noteBalance(reading);
    await alerts.weighBalances();
    expect(alerts.take(false)).toMatch(/^Account main has 3\.00 USD left: about 1\.5 days/);
    await alerts.weighBalances();
    expect(alerts.take(false)).toBeNull();
    expect(lines.filter((line) => line.includes('A balance is running out'))).toHaveLength(1);
    alerts.noteBalance({ ...reading, amount: 100 });
    await alerts.weighBalances();
    expect(alerts.take(false)).toBeNull();
  });

  it('take no rate from an account of which nothing is known', async () => {
    const { alerts } = alertsOf();
    alerts.noteBalance(reading);
    await alerts.weighBalances();
    expect(alerts.take(false)).toBeNull();
  });
});
