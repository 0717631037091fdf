/** Whether everybody can read and use the page: what axe-core finds, and what a chart says. */

import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod/mini';
import { axeFindings, axeFindingsOnScreens } from '../../../lab/browser/axe.ts';
import { hasBrowser, openBrowser, useBrowser } from '../../../lab/browser/browser.ts';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp, TOKEN } from '../../../lab/program/http-program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { PATIENT } from '../../../lab/until.ts';
import { writePast } from '../../../lab/usage/past-spending.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

useBrowser();

const NAMES = [1, 2, 3, 4, 5, 6].map((at) => `DEEPSEEK_API_KEY${at === 1 ? '' : `_${at}`}`);

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator();
  const keys = NAMES.map((name) => ({ name, secret: fakeKey() }));
  for (const { secret } of keys) simulator.addKey(secret, { provider: 'deepseek', ttftMs: 20 });
  home = await createHome({ simulator, keys });
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

async function openPage(page: Page, server: HttpProgram): Promise<void> {
  await page.goto(`${server.url}/dashboard#token=${TOKEN}`);
  await page.getByRole('heading', { name: 'Health' }).waitFor();
}

const STATUS = z.looseObject({
  providers: z.array(
    z.looseObject({
      keys: z.array(z.looseObject({ name: z.string() })),
      accounts: z.array(z.looseObject({ account: z.string() })),
    }),
  ),
});

/** One key in each state that a key can be in, and everything that a card and a row can say. */
const STATES = [
  {},
  { state: 'cooling', reason: 'rate limited', retryInMs: 30_000 },
  { state: 'disabled', reason: 'rejected by DeepSeek (401)', retryInMs: 90_000 },
  { state: 'draining' },
  { breaker: 'half-open' },
  { breaker: 'open', score: 12 },
];

/** Shows every tone of the page: waiting for real failures to make them would take minutes. */
async function showEveryState(page: Page): Promise<void> {
  await page.route('**/api/status', async (route) => {
    const answer = await route.fetch();
    const status = STATUS.parse(await answer.json());
    const lastError = { text: 'DeepSeek limits the rate', at: new Date().toISOString() };
    const [deepseek] = status.providers;
    const keys = deepseek?.keys.map((key, at) => ({ ...key, lastError, ...STATES[at] })) ?? [];
    const accounts = deepseek?.accounts.map((account, at) =>
      at === 0
        ? { ...account, keys: NAMES.slice(0, 2), found: true, advice: ADVICE }
        : { ...account, coolingMs: 20_000, reason: 'rate limited' },
    );
    const providers = [
      { ...deepseek, keys, accounts, queueDepth: 3 },
      ...status.providers.slice(1),
    ];
    await route.fulfill({ response: answer, json: { ...status, providers } });
  });
}

const MONEY = z.looseObject({ peak: z.nullable(z.unknown()) });

/** It may be off-peak while the tests run, and for the whole weekend. */
async function showPeak(page: Page): Promise<void> {
  const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  const spans = [
    { from: at(0), until: at(2), period: 'peak' },
    { from: at(2), until: at(10), period: 'off_peak' },
    { from: at(10), until: at(24), period: 'perhaps' },
  ];
  await page.route('**/api/money', async (route) => {
    const answer = await route.fetch();
    const view = MONEY.parse(await answer.json());
    const peak = { model: 'deepseek-flash', factor: 2, spans };
    await route.fulfill({ response: answer, json: { ...view, peak } });
  });
}

const ADVICE =
  'to write it down: keypool-mcp keys add DEEPSEEK_API_KEY_2 --account DEEPSEEK_API_KEY';

describe.skipIf(!hasBrowser)('the page, read by axe-core', () => {
  it('has nothing to find on any screen', async () => {
    const server = await startHttp(home.env);
    const { context, complaints } = await openBrowser();
    const page = await context.newPage();
    await page.goto(`${server.url}/dashboard`);
    await page.getByRole('heading', { name: 'needs its token' }).waitFor();
    expect(await axeFindingsOnScreens(page), 'without a token').toEqual([]);
    await openPage(page, server);
    await page.getByText('Upstream fine').first().waitFor();
    expect(await axeFindingsOnScreens(page), 'at rest').toEqual([]);
    await showEveryState(page);
    await page.getByText('Breaker half-open', { exact: true }).waitFor();
    expect(await axeFindingsOnScreens(page), 'in every state').toEqual([]);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    expect(complaints).toEqual([]);
  });

  it('has nothing to find about money', async () => {
    writePast(home.folder);
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    await page.getByRole('button', { name: 'Show all 41' }).click();
    await page.getByText('such calls are refused until').waitFor();
    expect(await axeFindingsOnScreens(page), 'with much spent').toEqual([]);
    await showPeak(page);
    await page.getByText('Peak prices now, twice as much').waitFor();
    expect(await axeFindingsOnScreens(page), 'at peak').toEqual([]);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('has nothing to find in the dialogs', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    const dialog = page.getByRole('dialog');

    await page.getByRole('button', { name: 'Add key' }).click();
    expect(await axeFindingsOnScreens(page), 'adding').toEqual([]);
    await page.getByLabel('Name', { exact: true }).fill('DEEPSEEK_API_KEY_7');
    await page.getByLabel('Value', { exact: true }).fill('your_key_here');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await axeFindingsOnScreens(page), 'refusing').toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await page.getByRole('button', { name: 'Paste several' }).click();
    await page
      .getByLabel('One a line')
      .fill(`PERPLEXITY_API_KEY=${canarySecret('pplx-fake')}\nnothing`);
    await dialog.getByRole('button', { name: 'Add them' }).click();
    await dialog.getByRole('status').waitFor();
    expect(await axeFindingsOnScreens(page), 'pasting').toEqual([]);
    await dialog.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Verify DEEPSEEK_API_KEY_4' }).click();
    await page.getByText(/Works/).first().waitFor();
    await page.getByRole('button', { name: 'Remove DEEPSEEK_API_KEY_4' }).click();
    expect(await axeFindingsOnScreens(page), 'removing').toEqual([]);
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('DEEPSEEK_API_KEY_4 removed.').waitFor();
    expect(await axeFindingsOnScreens(page), 'with a message').toEqual([]);
  });
});

describe.skipIf(!hasBrowser)('the page, read by a person', () => {
  it('says that there is nothing yet instead of drawing an empty chart', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    const flow = page.locator('#flow');
    const spark = page.getByRole('article', { name: 'DEEPSEEK_API_KEY', exact: true });
    await flow.getByText('No attempts yet').waitFor();
    await spark.getByText('No attempts yet').waitFor();
    expect(await flow.getAttribute('aria-label')).toBe('No attempts yet');
    // A curve takes several samples with calls in them.
    const label = async (): Promise<string | null> => {
      await server.call('deepseek_generate_code', { prompt: 'hello' });
      return flow.getAttribute('aria-label');
    };
    await expect.poll(label, { ...PATIENT, interval: 300 }).toContain('served');
    expect(await flow.getByText('attempts').isVisible()).toBe(false);
  });

  it('names the keys that were found to share an account, and what writes it down', async () => {
    const shared = { capacity: 4, refusal: { wording: 'balance', afterMs: 60 } } as const;
    simulator.setAccount('one', shared);
    const variables: Record<string, string> = {};
    for (const name of NAMES.slice(0, 4)) {
      const secret = canarySecret();
      variables[name] = secret;
      const answer = { ttftMs: 400, answerTokens: 20, tokensPerSecond: 1_000_000 };
      simulator.addKey(secret, { provider: 'deepseek', account: 'one', ...answer });
    }
    const bare = await createHome({ simulator, env: variables });
    onTestFinished(() => bare.remove());
    const server = await startHttp(bare.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    const callers = Array.from({ length: 12 }, async () => {
      for (let call = 0; call < 5; call++) {
        await server.call('deepseek_generate_code', { prompt: 'hello' });
      }
    });
    await Promise.all(callers);
    const found = page.locator('.found', { hasText: 'share one account' });
    await expect.poll(() => found.textContent(), PATIENT).toContain('DEEPSEEK_API_KEY_4 share');
    const commands = found.locator('code');
    expect(await commands.textContent()).toMatch(
      /^keypool-mcp keys add DEEPSEEK_API_KEY --account \S+; keypool-mcp keys add /,
    );
    expect(await axeFindings(page)).toEqual([]);
  });
});
