/** The page's money view, of the built program, in a browser. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { hasBrowser, openBrowser, useBrowser } from '../../../lab/browser/browser.ts';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp, TOKEN } from '../../../lab/program/http-program.ts';
import { run, type Variables } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { PATIENT } from '../../../lab/until.ts';
import { UNPRICED_MODEL, writePast } from '../../../lab/usage/past-spending.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

useBrowser();

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  const secret = canarySecret();
  simulator.addKey(secret, { provider: 'deepseek', account: 'deep', ttftMs: 5 });
  const keys = [{ name: 'DEEPSEEK_API_KEY', secret, account: 'main' }];
  home = await createHome({ simulator, keys });
});
afterEach(async () => {
  await simulator.close();
  home.remove();
});

async function open(env: Variables = {}, width = 1280) {
  const server = await startHttp({ ...home.env, ...env });
  const { context, complaints } = await openBrowser({ width });
  const page = await context.newPage();
  await page.goto(`${server.url}/dashboard#token=${TOKEN}`);
  await page.getByText('Estimated, by the prices of').waitFor();
  return { server, page, complaints };
}

const money = (page: Page): Locator => page.getByRole('region', { name: 'Money' });
const tile = (page: Page, label: string): Locator =>
  money(page).locator('.tile', { hasText: label });
const rows = (page: Page): Locator => money(page).locator('.spent tbody tr');

const COST = z.object({
  result: z.object({ structuredContent: z.object({ cost_usd: z.number() }) }),
});

/** Dollars of one call, as its result says. */
async function spend(server: HttpProgram): Promise<number> {
  const text = await server.call('deepseek_generate_code', { prompt: 'Write a stack' });
  const [, json = text] = /data: (.*)/.exec(text) ?? [];
  return COST.parse(JSON.parse(json)).result.structuredContent.cost_usd;
}

describe.skipIf(!hasBrowser)('the money view', () => {
  it('says that nothing was spent, and then what a call cost, to whom and of which budget', async () => {
    const { server, page, complaints } = await open();
    expect(await tile(page, 'Today').textContent()).toContain('$0.00');
    await money(page).getByText('No attempt in this time.').waitFor();
    await money(page).getByText('None is set: nothing caps').waitFor();
    await money(page).getByText('None was read yet.').waitFor();
    const cost = await spend(server);
    await run(['budget', 'set', `${(cost * 1.1).toFixed(6)}/day`], home.env);
    const shown = `$${cost.toFixed(4)}`;
    await expect.poll(() => tile(page, 'Today').textContent(), PATIENT).toContain(shown);
    expect(await rows(page).allTextContents()).toEqual([
      expect.stringMatching(/^deepseek-flash1 attempt · .* tokens\$0\.\d{4}$/),
    ]);
    await page.getByRole('button', { name: 'Client' }).click();
    expect(await rows(page).allTextContents()).toEqual([expect.stringMatching(/^test1 attempt/)]);
    await page.getByRole('button', { name: 'Account' }).click();
    expect(await rows(page).allTextContents()).toEqual([expect.stringMatching(/^main1 attempt/)]);
    await expect
      .poll(() => money(page).locator('.budgets').textContent(), PATIENT)
      .toContain('Nearly spent');
    await page.getByText('is spent to 91 %').waitFor();
    // The balance is read some seconds after the first call.
    await expect
      .poll(() => money(page).locator('.balances tbody').textContent(), PATIENT)
      .toMatch(/^main\d+\.\d\d USD/);
    expect(complaints).toEqual([]);
  }, 60_000);

  it('shows forty models when it is asked to, and no price that nobody knows', async () => {
    writePast(home.folder);
    const { page } = await open();
    await expect.poll(() => rows(page).count(), PATIENT).toBe(8);
    await page.getByRole('button', { name: 'Show all 41' }).click();
    expect(await rows(page).count()).toBe(41);
    const unpriced = rows(page).filter({ hasText: UNPRICED_MODEL });
    expect(await unpriced.textContent()).toMatch(/price not known$/);
    expect(await tile(page, 'This month').first().textContent()).toMatch(
      /\d attempts? without a price/,
    );
    // A look at the server goes by; the choice stays.
    await page.waitForTimeout(6_000);
    expect(await rows(page).count()).toBe(41);
    await page.getByRole('button', { name: 'Show fewer' }).click();
    expect(await rows(page).count()).toBe(8);
    await page.getByText('for client cursor is spent: such calls are refused until').waitFor();
  }, 60_000);

  it.each([390, 1280])('fits a screen of %i pixels with all that it can show', async (width) => {
    writePast(home.folder);
    const { page } = await open({}, width);
    await page.getByRole('button', { name: 'Show all 41' }).click();
    const widths = await page.evaluate(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(widths).toEqual([width, width]);
  });

  it('is by the days of the user, and the hours of UTC', async () => {
    const { page } = await open({ TZ: 'Australia/Darwin' });
    await page.getByText('Days and hours are those of Australia/Darwin.').waitFor();
    const strip = money(page).locator('.strip');
    expect(await strip.getAttribute('aria-label')).toMatch(
      /^No peak prices in the next 24 hours\.$|^Peak prices in the next 24 hours: \d\d:\d\d to \d\d:\d\d UTC \(\d\d:\d\d in Australia\/Darwin\)/,
    );
    expect(await money(page).locator('.hour').allTextContents()).toContain('06:00');
  });

  it('says what is wrong with its own figures', async () => {
    writePast(home.folder);
    writeFileSync(join(home.folder, 'budgets.json'), '{');
    writeFileSync(join(home.folder, 'usage', 'ledger-2026-11.jsonl'), 'no entry\n', { flag: 'a' });
    const { page, server } = await open({
      KEYPOOL_LEDGER: 'off',
      DEEPSEEK_MODEL: 'deepseek-v9-ultra',
    });
    const shown = money(page);
    await shown.getByText('The ledger is off (KEYPOOL_LEDGER)').waitFor();
    await shown.getByText(/the budgets in .* cannot be read: correct the file/i).waitFor();
    await shown.getByText('default model’s price is not known').waitFor();
    // A budget that nobody can read leaves the metrics standing.
    expect((await server.ask('/metrics')).status).toBe(200);
  });

  it('treats the names of models, clients and accounts as text', async () => {
    writePast(home.folder);
    const attack = '<img src=x onerror=alert(1)>';
    const { page, complaints } = await open();
    await page.route('**/api/money', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text())
        .replaceAll('deepseek-variant-1"', `${attack}"`)
        .replaceAll('"main"', JSON.stringify(attack))
        .replaceAll('"cursor"', JSON.stringify(attack));
      await route.fulfill({ response: answer, body });
    });
    await expect.poll(() => money(page).textContent(), PATIENT).toContain(attack);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

describe('GET /api/money', () => {
  it('needs the token, holds nothing of a key, and answers for a home without a ledger', async () => {
    const server = await startHttp(home.env);
    expect((await fetch(`${server.url}/api/money`)).status).toBe(401);
    const answer = await server.ask('/api/money');
    expect(answer.status).toBe(200);
    const view: unknown = await answer.json();
    expect(view).toMatchObject({
      isLedgerOn: true,
      problem: null,
      budgets: [],
      balances: [],
      spans: { today: { total: { attempts: 0, usd: 0 } } },
      peak: { model: 'deepseek-flash', factor: 2 },
    });
    writeFileSync(join(home.folder, 'usage'), 'in the way');
    expect(await (await server.ask('/api/money')).json()).toMatchObject({ problem: null });
  });
});
