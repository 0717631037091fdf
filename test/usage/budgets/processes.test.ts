import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../lab/program/bundled.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { buildSpender, runSpenders } from '../../../lab/usage/spenders.ts';
import { setBudget } from '../../../src/usage/budgets/budget-file.ts';

let program: BundledProgram;
beforeAll(async () => {
  program = await buildSpender();
});
afterAll(() => program.remove());

const CAP_USD = 0.1;

describe('several processes of one home', () => {
  it('append to one ledger and lose nothing that a caller was told, although some are killed', async () => {
    const home = temporaryFolder();
    const plan = { home, processes: 4, calls: 100, atOnce: 3, callMs: 4, kills: 6 };
    const spent = await runSpenders(program, plan);
    expect(spent.errors).toBe('');
    expect(spent.unreadable).toBe(0);
    expect(spent.inLedger).toBeGreaterThanOrEqual(spent.reported);
    // What was written and not yet told when the kill came.
    expect(spent.inLedger).toBeLessThanOrEqual(spent.reported + plan.kills * plan.atOnce);
    expect(spent.reported).toBeGreaterThanOrEqual(4 * 100);
  });

  it('keep one budget to half a per cent, refuse nobody early, and say once that it is near', async () => {
    const home = temporaryFolder();
    await setBudget(home, { usd: CAP_USD, per: 'day', account: null, client: null });
    const plan = { home, processes: 4, calls: 1_000, atOnce: 4, callMs: 1, kills: 3 };
    const spent = await runSpenders(program, plan);
    expect(spent.errors).not.toContain('"level":"error"');
    expect(spent.refused).toBeGreaterThan(0);
    expect(spent.usd / CAP_USD).toBeGreaterThanOrEqual(0.99);
    // One call costs more than half a per cent of so small a cap.
    expect(spent.usd).toBeLessThanOrEqual(CAP_USD + 0.0014);
    expect(spent.notices).toBeLessThanOrEqual(1);
  });
});
