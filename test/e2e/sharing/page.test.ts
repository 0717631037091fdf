import { describe, expect, it, onTestFinished } from 'vitest';
import { hasBrowser, openBrowser, useBrowser } from '../../../lab/browser/browser.ts';
import { startHttp, TOKEN } from '../../../lab/program/http-program.ts';
import { SharedHome } from '../../../lab/sharing/shared-programs.ts';
import { PATIENT } from '../../../lab/until.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';

useBrowser();

describe.skipIf(!hasBrowser)('the page', () => {
  it('shows every process that uses the accounts, and nothing of that while it is alone', async () => {
    const simulator = await startSimulator({ seed: 16 });
    const shared = await SharedHome.create(simulator, { slots: 5, answerMs: 50, keys: [{}] });
    onTestFinished(async () => {
      await shared.close();
      await simulator.close();
    });
    const server = await startHttp(shared.home.env);
    await server.call('deepseek_generate_code', { prompt: 'hello' });
    const { context } = await openBrowser();
    const page = await context.newPage();
    await page.goto(`${server.url}/dashboard#token=${TOKEN}`);
    await page.getByRole('heading', { name: 'Health' }).waitFor();
    const card = page.locator('#processes');
    await page.getByText('DEEPSEEK_API_KEY').first().waitFor();
    expect(await card.isVisible()).toBe(false);
    const assistant = await shared.assistant();
    await assistant.call('hello');
    await card.waitFor({ state: 'visible' });
    const rows = card.locator('tbody tr');
    await expect.poll(() => rows.count(), PATIENT).toBe(2);
    const text = (await card.textContent()) ?? '';
    expect(text).toContain('test-client');
    expect(text).toContain('(this one)');
    expect(text).toContain('over this machine');
    const metrics = await (await server.ask('/metrics')).text();
    expect(metrics).toContain('keypool_sharing_up{over="socket"} 1');
    expect(metrics).toContain('keypool_sharing_processes{client="test-client"} 1');
  }, 60_000);
});
