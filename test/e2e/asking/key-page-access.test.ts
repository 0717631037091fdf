/** The page for a missing key in a browser: everybody can use it, without a script, and it leaks nothing. */

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { axeFindingsOnScreens } from '../../../lab/browser/axe.ts';
import { hasBrowser, openBrowser, useBrowser } from '../../../lab/browser/browser.ts';
import { findLeaks, folderSinks, processSinks, type Sink } from '../../../lab/canary.ts';
import { connectEliciting } from '../../../lab/program/eliciting.ts';
import { callTool, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

useBrowser();

/** The browser's own words for the two answers that are no success. */
const EXPECTED = /status of (?:422|410)/;

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator();
  home = await createHome({ simulator, env: { KEYPOOL_LOG_LEVEL: 'debug' } });
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

/** A call that waits, and the address that its client was given. */
async function waitingCall() {
  const eliciting = await connectEliciting(home.env, {
    era: 'legacy',
    answer: () => Promise.resolve('accept'),
  });
  const result = callTool(eliciting.client, 'deepseek_generate_code', { prompt: 'add' });
  await vi.waitFor(() => expect(eliciting.shown).toHaveLength(1), { timeout: 10_000 });
  return { ...eliciting, result, url: eliciting.shown[0]?.url ?? '' };
}

describe.skipIf(!hasBrowser)('the page for a missing key', () => {
  it('is read by axe-core without a finding and works without a script', async () => {
    const key = `sk-${randomBytes(16).toString('hex')}`;
    const wrong = `sk-${randomBytes(16).toString('hex')}`;
    const foreign = `pplx-${randomBytes(24).toString('hex')}`;
    simulator.addKey(key, { provider: 'deepseek', ttftMs: 5 });
    const { url, result, program } = await waitingCall();
    const { context, complaints, addresses } = await openBrowser();
    const page = await context.newPage();
    const sinks: Sink[] = [];
    const look = async (name: string): Promise<void> => {
      sinks.push({ name, content: await page.content() });
      expect(await axeFindingsOnScreens(page), name).toEqual([]);
    };
    const save = (): Promise<void> => page.getByRole('button', { name: 'Save' }).click();
    await page.goto(url);
    await look('empty');
    await page.getByLabel('API key').fill(foreign);
    await save();
    await page.getByText('a key of Perplexity').waitFor();
    await look('refused for its form');
    await page.getByLabel('API key').fill(`DEEPSEEK_API_KEY=${wrong}`);
    await save();
    await page.getByText('does not know this key').waitFor();
    await look('refused by the provider');
    await page.getByLabel('API key').fill(`"${key}"`);
    await save();
    await page.getByRole('heading', { name: 'Saved' }).waitFor();
    await look('saved');
    await page.goto(url);
    await look('closed');
    const answer = await result;
    expect(answer.isError, textOf(answer)).toBeUndefined();
    expect(complaints.filter((complaint) => !EXPECTED.test(complaint))).toEqual([]);
    expect(addresses.filter((address) => !address.startsWith(new URL(url).origin))).toEqual([]);
    if (program === null) throw new Error('no program');
    sinks.push(
      { name: 'stdout', content: program.stdout },
      { name: 'stderr', content: program.stderr },
      ...folderSinks('home', home.folder),
      ...folderSinks('tmp', home.tmp),
      ...processSinks(program.pid),
    );
    expect(findLeaks([key, wrong, foreign], sinks).leaks).toEqual([]);
    // The address is for the client alone.
    expect(program.stderr).not.toContain(new URL(url).pathname);
    expect(textOf(answer)).not.toContain(new URL(url).pathname);
  });
});
