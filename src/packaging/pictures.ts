/**
 * `npm run pictures`: the README's pictures, taken of the built program while the simulator plays
 * the upstreams: the dashboard under load, light and dark, and the demo's output.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../lab/browser/chromium.ts';
import { childEnvironment, PROGRAM, Program } from '../../lab/program/program.ts';
import { createHome } from '../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { pictureSources, SOURCES_FILE } from './picture-sources.ts';

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const TOKEN = 'token-of-the-pictures';
const SEED = 7;

/** Names, accounts and what each key meets while the picture is taken. */
const KEYS = [
  { name: 'DEEPSEEK_API_KEY', account: 'main', ttftMs: 60, faults: [] },
  { name: 'DEEPSEEK_API_KEY_2', account: 'main', ttftMs: 70, faults: [] },
  { name: 'DEEPSEEK_API_KEY_3', account: 'work', ttftMs: 260, faults: [] },
  {
    name: 'DEEPSEEK_API_KEY_4',
    account: 'spare',
    ttftMs: 80,
    faults: [{ fault: 'server_error', times: 10_000 }],
  },
] as const;

function fakeSecret(prefix: string, at: number): string {
  return `${prefix}-fake-${String(at).padStart(26, '0')}`;
}

function playKeys(simulator: Simulator) {
  const deepseek = KEYS.map(({ name, account, ttftMs, faults }, at) => {
    const secret = fakeSecret('sk', 410_326 + 7 * at);
    simulator.addKey(secret, {
      provider: 'deepseek',
      ttftMs,
      tokensPerSecond: 900,
      faults: [...faults],
    });
    return { name, account, secret };
  });
  const secret = fakeSecret('pplx', 905_117);
  simulator.addKey(secret, { provider: 'perplexity' });
  return [...deepseek, { name: 'PERPLEXITY_API_KEY', account: 'search', secret }];
}

async function addressOf(program: Program): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const address = /"url":"([^"]+)"/.exec(program.stderr)?.[1];
    if (address !== undefined) return address;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not start: ${program.stderr}`);
}

/** Calls of both tools until `until`, a handful at once. */
async function load(url: string, until: Promise<unknown>): Promise<void> {
  let isOn = true;
  void until.finally(() => {
    isOn = false;
  });
  const call = (name: string, args: object): Promise<unknown> =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name,
          arguments: args,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'pictures', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    }).then((response) => response.text());
  const work = async (name: string, args: object, pauseMs: number): Promise<void> => {
    while (isOn) {
      await call(name, args).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const prompt = 'A function that parses durations such as 1h30m';
  await Promise.all([
    ...[40, 90, 160, 230, 310].map((pauseMs) =>
      work('deepseek_generate_code', { prompt, language: 'typescript' }, pauseMs),
    ),
    work('perplexity_search', { query: 'circuit breaker half-open' }, 400),
  ]);
}

async function pictureDashboard(browser: Browser): Promise<void> {
  const simulator = await startSimulator({ seed: SEED });
  const home = await createHome({ simulator, keys: playKeys(simulator) });
  const server = new Program({
    args: ['serve', '--http', '--port', '0'],
    env: { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN },
  });
  try {
    const url = await addressOf(server);
    const taken = (async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({
          viewport: { width: 1200, height: 900 },
          deviceScaleFactor: 2,
          colorScheme,
        });
        await page.goto(`${url}/dashboard#token=${TOKEN}`);
        await page.getByRole('heading', { name: 'Health' }).waitFor();
        await page.waitForTimeout(colorScheme === 'light' ? 20_000 : 5_000);
        await page.screenshot({
          path: `${FOLDER}dashboard-${colorScheme}.png`,
          animations: 'disabled',
        });
        await page.close();
      }
    })();
    await load(url, taken);
    await taken;
  } finally {
    server.kill('SIGKILL');
    await server.exit;
    await simulator.close();
    home.remove();
  }
}

const COLOURS: Readonly<Record<string, string>> = {
  '1': 'font-weight:bold',
  '2': 'opacity:.6',
  '31': 'color:#f47067',
  '32': 'color:#57ab5a',
  '33': 'color:#daaa3f',
  '36': 'color:#39c5cf',
};

/** Text with SGR codes as HTML. */
function htmlOf(terminal: string): string {
  const escaped = terminal.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return escaped.replace(/\u001B\[(\d+)m/g, (_, code: string) => {
    const style = COLOURS[code];
    return style === undefined ? '</span>' : `<span style="${style}">`;
  });
}

async function pictureDemo(browser: Browser): Promise<void> {
  // On a terminal of its own, for colours.
  const output = execFileSync(
    'script',
    ['-qec', `"${process.execPath}" "${PROGRAM}" demo`, '/dev/null'],
    {
      env: childEnvironment({ TERM: 'xterm-256color' }),
      encoding: 'utf8',
    },
  ).replaceAll('\r', '');
  const lines = stripVTControlCharacters(output).split('\n').length;
  const page = await browser.newPage({
    viewport: { width: 860, height: 20 + 17 * lines },
    deviceScaleFactor: 2,
  });
  await page.setContent(
    `<body style="margin:0;background:#22272e;color:#cdd9e5"><pre style="margin:16px;font:13px/17px 'DejaVu Sans Mono',monospace">${htmlOf(output.trim())}</pre>`,
  );
  await page.screenshot({ path: `${FOLDER}demo.png`, fullPage: true });
  await page.close();
}

mkdirSync(FOLDER, { recursive: true });
const browser = await launchChromium();
try {
  await pictureDashboard(browser);
  await pictureDemo(browser);
  writeFileSync(SOURCES_FILE, pictureSources());
} finally {
  await browser.close();
}
