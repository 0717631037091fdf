import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { hasBrowser, openBrowser, useBrowser } from '../../../lab/browser/browser.ts';
import { canarySecret, findLeaks } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp, TOKEN } from '../../../lab/program/http-program.ts';
import { Program, run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

useBrowser();

const NAMES = [
  'DEEPSEEK_API_KEY',
  'DEEPSEEK_API_KEY_2',
  'DEEPSEEK_API_KEY_3',
  'DEEPSEEK_API_KEY_4',
];

let simulator: Simulator;
let home: Home;
let secrets: string[];

beforeEach(async () => {
  simulator = await startSimulator();
  secrets = NAMES.map(() => canarySecret());
  for (const secret of secrets) {
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 20, tokensPerSecond: 10_000 });
  }
  const keys = secrets.map((secret, at) => ({ name: NAMES[at] ?? '', secret }));
  home = await createHome({ simulator, keys });
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

/** Keeps calling until the test is over; what is in flight then ends with the server. */
function load(server: HttpProgram, callers = 4): void {
  let isOn = true;
  onTestFinished(() => {
    isOn = false;
  });
  const work = async (): Promise<void> => {
    while (isOn) {
      await server.call('deepseek_generate_code', { prompt: 'hello' }).catch(() => '');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  for (let caller = 0; caller < callers; caller++) void work();
}

async function openPage(page: Page, server: HttpProgram): Promise<void> {
  await page.goto(`${server.url}/dashboard#token=${TOKEN}`);
  await page.getByRole('heading', { name: 'Health' }).waitFor();
}

const card = (page: Page, name: string) => page.getByRole('article', { name, exact: true });

async function addKey(page: Page, name: string, value: string, account = ''): Promise<void> {
  await page.getByRole('button', { name: 'Add key' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Value', { exact: true }).fill(value);
  await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Save' }).click();
}

describe.skipIf(!hasBrowser)('the page', () => {
  it('shows four keys under load, watches a breaker open and close', async () => {
    const server = await startHttp(home.env);
    load(server);
    const { context, complaints, addresses } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    for (const name of NAMES) {
      await expect.poll(() => card(page, name).textContent(), PATIENT).toContain('Breaker closed');
      const attempts = card(page, name).locator('dd').nth(4);
      await expect.poll(() => attempts.textContent(), PATIENT).toMatch(/[1-9]/);
    }
    const [victim = ''] = secrets;
    simulator.setBehaviour(victim, { faults: [{ fault: 'server_error', times: 1_000 }] });
    const first = card(page, 'DEEPSEEK_API_KEY');
    await expect.poll(() => first.textContent(), PATIENT).toContain('Breaker open');
    await expect.poll(() => first.getAttribute('data-tone'), PATIENT).toBe('bad');
    await expect.poll(() => page.locator('#announcer').textContent(), PATIENT).toContain('breaker');
    simulator.setBehaviour(victim, { faults: [] });
    await expect
      .poll(() => first.textContent(), { ...PATIENT, timeout: 45_000 })
      .toContain('Breaker closed');
    expect(await page.locator('#flow canvas').count()).toBe(1);
    expect(complaints).toEqual([]);
    expect(addresses.filter((address) => !address.startsWith(server.url))).toEqual([]);
  }, 90_000);

  it('takes the token out of the address and never puts it anywhere else', async () => {
    const server = await startHttp(home.env);
    const { context, addresses } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    expect(page.url()).toBe(`${server.url}/dashboard`);
    expect(addresses.slice(1).join('\n')).not.toContain(TOKEN);
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(TOKEN);
    expect(await page.content()).not.toContain(TOKEN);
    await page.reload();
    await page.getByRole('heading', { name: 'Health' }).waitFor();
    // Another tab has no token: it is this tab's alone.
    const other = await context.newPage();
    await other.goto(`${server.url}/dashboard`);
    await other.getByRole('heading', { name: 'needs its token' }).waitFor();
  });

  it('asks for the token when it is wrong, and opens with the right one', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await page.goto(`${server.url}/dashboard#token=wrong`);
    await page.getByText('not the one of the running server').waitFor();
    expect(await page.getByRole('heading', { name: 'Health' }).isVisible()).toBe(false);
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'Health' }).waitFor();
    expect(simulator.calls).toHaveLength(0);
  });

  it('adds a key that then serves, verifies it, replaces it and removes it', async () => {
    const server = await startHttp(home.env);
    load(server, 8);
    const { context, complaints } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    const name = 'DEEPSEEK_API_KEY_5';
    const fresh = canarySecret();
    simulator.addKey(fresh, { provider: 'deepseek', ttftMs: 20, balance: 7 });
    await addKey(page, name, fresh, 'team');
    await page.getByText(`${name} added.`).waitFor();
    const attempts = card(page, name).locator('dd').nth(4);
    await expect.poll(() => attempts.textContent(), PATIENT).toMatch(/[1-9]/);
    await expect
      .poll(() => simulator.calls.some((call) => call.keyId === fresh.slice(-6)), PATIENT)
      .toBe(true);
    await page.getByRole('button', { name: `Verify ${name}` }).click();
    await page.getByText(/Works: balance 7\.00 USD/).waitFor();

    const other = canarySecret();
    simulator.addKey(other, { provider: 'deepseek', ttftMs: 20 });
    await page.getByRole('button', { name: `Replace ${name}` }).click();
    await page.getByLabel('Value', { exact: true }).fill(other);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(`${name} replaced.`).waitFor();
    await expect.poll(() => card(page, name).textContent(), PATIENT).toContain(other.slice(-6));

    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText(`${name} removed.`).waitFor();
    await expect.poll(() => card(page, name).count(), PATIENT).toBe(0);

    const said = [
      { name: 'page', content: await page.content() },
      { name: 'stderr', content: server.program.stderr },
    ];
    expect(findLeaks([...secrets, fresh, other], said).leaks).toEqual([]);
    const values = await page
      .locator('input, textarea')
      .evaluateAll((fields) => fields.map((field) => ('value' in field ? field.value : '')));
    expect(JSON.stringify(values)).not.toContain(other);
    expect(complaints).toEqual([]);
  }, 120_000);

  it('takes several keys at once', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    // What stands behind a label alone is taken where it has the vendor's own form.
    const labelled = `sk-${randomBytes(16).toString('hex')}`;
    const pasted = [canarySecret(), labelled, canarySecret('pplx-fake')];
    await page.getByRole('button', { name: 'Paste several' }).click();
    const text = `DEEPSEEK_API_KEY_6=${pasted[0]}\nDeepSeek API 9: ${pasted[1]}\nPERPLEXITY_API_KEY=${pasted[2]}\nnothing to see here`;
    await page.getByLabel('One a line').fill(text);
    await page.getByRole('button', { name: 'Add them' }).click();
    await page.getByText('Added DEEPSEEK_API_KEY_6', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect
      .poll(async () => (await run(['keys', 'list', '--json'], home.env)).stdout, PATIENT)
      .toContain('DEEPSEEK_API_KEY_9');
    await page.getByRole('button', { name: 'Verify PERPLEXITY_API_KEY' }).waitFor();
  });

  it('treats names, accounts and errors as text', async () => {
    const server = await startHttp(home.env);
    load(server, 2);
    const attack = '<img src=x onerror=alert(1)>';
    const { context, complaints } = await openBrowser();
    const page = await context.newPage();
    let isFooled = false;
    page.on('dialog', (dialog) => {
      isFooled = true;
      void dialog.dismiss();
    });
    await openPage(page, server);
    const fresh = canarySecret();
    simulator.addKey(fresh, { provider: 'deepseek', ttftMs: 20 });
    await addKey(page, 'DEEPSEEK_API_KEY_5', fresh, attack);
    const shown = page.locator('dialog[open], .toast');
    await shown.first().waitFor();
    // The answers of the API themselves, as an attacker between us and it could make them.
    await page.route('**/api/status', async (route) => {
      const answer = await route.fetch();
      const text = (await answer.text()).replaceAll('DEEPSEEK_API_KEY_2', attack);
      const reason = { text: `"><script>alert(2)</script>${attack}`, at: new Date().toISOString() };
      const body = text
        .replaceAll(/"lastError":null/g, `"lastError":${JSON.stringify(reason)}`)
        .replaceAll(/"reason":null/g, `"reason":${JSON.stringify(attack)}`);
      await route.fulfill({ response: answer, body });
    });
    await page.route('**/api/keys', async (route) => {
      const listed = [
        { name: attack, masked: attack, key_id: attack, account: attack, created: attack },
      ];
      await route.fulfill({ json: listed });
    });
    await expect.poll(() => page.locator('#key-list').textContent(), PATIENT).toContain(attack);
    await expect
      .poll(() => page.locator('#providers').textContent(), PATIENT)
      .toContain('alert(2)');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.locator('main script').count()).toBe(0);
    expect(isFooled).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('refuses inline script, inline markup and other hosts, should something slip through', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    const outcome = await page.evaluate(`(async () => {
      const refused = [];
      const violated = new Set();
      addEventListener('securitypolicyviolation', (event) => violated.add(event.effectiveDirective));
      const attempt = async (name, act) => {
        try { await act(); } catch { refused.push(name); }
      };
      await attempt('markup', () => { document.body.innerHTML += '<img src=x>'; });
      await attempt('script', () => {
        const script = document.createElement('script');
        script.textContent = 'document.title = "fooled"';
        document.head.append(script);
      });
      await attempt('fetch', () => fetch('http://127.0.0.1:1/'));
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      document.head.append(style);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const isFooled = document.title === 'fooled' || getComputedStyle(document.body).display === 'none';
      return { refused, isFooled, violated: [...violated].sort() };
    })()`);
    expect(outcome).toEqual({
      refused: ['markup', 'script', 'fetch'],
      isFooled: false,
      violated: ['connect-src', 'require-trusted-types-for', 'style-src-elem'],
    });
  });

  it.each([
    ['light', 375],
    ['dark', 375],
    ['dark', 1280],
  ] as const)('fits the %s screen of %i pixels', async (colorScheme, width) => {
    const server = await startHttp(home.env);
    load(server, 2);
    const { context } = await openBrowser({ width, colorScheme });
    const page = await context.newPage();
    await openPage(page, server);
    await card(page, 'DEEPSEEK_API_KEY_4').waitFor();
    const widths = await page.evaluate(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(widths).toEqual([width, width]);
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(colorScheme === 'dark' ? 'rgb(15, 19, 25)' : 'rgb(245, 246, 248)');
    await page.getByRole('button', { name: 'Add key' }).click();
    const box = await page.getByRole('dialog').boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 9_999) <= width).toBe(true);
  });

  it('can be used with the keyboard alone', async () => {
    const server = await startHttp(home.env);
    const { context } = await openBrowser();
    const page = await context.newPage();
    await openPage(page, server);
    await page.getByRole('button', { name: `Verify DEEPSEEK_API_KEY_4` }).waitFor();
    const unnamed = await page.evaluate(`
      [...document.querySelectorAll('button, input, select, textarea, a')].filter(
        (each) =>
          (each.labels?.length ?? 0) === 0 &&
          (each.getAttribute('aria-label') ?? each.textContent).trim() === '',
      ).length`);
    expect(unnamed).toBe(0);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.getByRole('button', { name: 'Add key' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Add key' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count(), PATIENT).toBe(0);
    // A poll goes by; the focus stays where it was.
    await page.waitForTimeout(2_500);
    expect(await page.evaluate('document.activeElement.id')).toBe('add');
  });
});

describe('keypool-mcp dashboard', () => {
  it('prints the link, and serves where no server runs', async () => {
    const program = new Program({ args: ['dashboard', '--port', '0', '--no-open'], env: home.env });
    onTestFinished(() => program.kill('SIGKILL'));
    await vi.waitFor(() => expect(program.lines).toHaveLength(1), { timeout: 20_000 });
    const [link = ''] = program.lines;
    const [address = '', token = ''] = link.split('#token=');
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dashboard$/);
    expect((await fetch(address)).status).toBe(200);
    const status = new URL('/api/status', address);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(status, { headers })).status).toBe(200);

    const again = await run(['dashboard', '--no-open'], home.env);
    expect([again.code, again.stdout]).toEqual([0, `${link}\n`]);

    const other = await run(['dashboard'], {
      ...home.env,
      KEYPOOL_HTTP_TOKEN: 'another-token-of-mine',
    });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('another token');

    program.kill('SIGTERM');
    expect((await program.exit).code).toBe(0);
  });

  it('opens the page without showing the link to other users of the machine', async () => {
    const bin = join(home.tmp, 'xdg-open');
    const seen = join(home.tmp, 'seen');
    const script = `#!/bin/sh\necho "$@" > ${seen}\ncp "\${1#file://}" ${seen}.html\nstat -c %a "\${1#file://}" > ${seen}.mode\n`;
    writeFileSync(bin, script, { mode: 0o755 });
    const env = { ...home.env, DISPLAY: ':0', PATH: `${home.tmp}:${process.env.PATH ?? ''}` };
    const program = new Program({ args: ['dashboard', '--port', '0'], env });
    onTestFinished(() => program.kill('SIGKILL'));
    await vi.waitFor(() => expect(readFileSync(`${seen}.mode`, 'utf8')).toBe('600\n'), PATIENT);
    const token = readFileSync(join(home.folder, 'http-token'), 'utf8').trim();
    expect(statSync(join(home.folder, 'http-token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(seen, 'utf8')).not.toContain(token);
    expect(readFileSync(`${seen}.html`, 'utf8')).toContain(`#token=${token}`);
    program.kill('SIGTERM');
    expect((await program.exit).code).toBe(0);
  });
});
