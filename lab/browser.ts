/** A headless Chromium of the system; tests that need one are skipped where there is none. */

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((path) => existsSync(path));

export const hasBrowser = executablePath !== undefined;
if (!hasBrowser)
  console.warn('chromium is missing (Debian package chromium): browser tests skipped');

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Seen {
  /** Errors, warnings and violations of the content security policy. */
  readonly complaints: string[];
  /** Every address that was asked for. */
  readonly addresses: string[];
}

export interface OpenBrowser extends Seen {
  readonly context: BrowserContext;
}

/** A browser with an empty profile, closed with the test. */
export async function openBrowser(
  options: { readonly width?: number; readonly colorScheme?: 'light' | 'dark' } = {},
): Promise<OpenBrowser> {
  const { width = 1280, colorScheme = 'light' } = options;
  if (executablePath === undefined) throw new Error('no browser');
  const browser: Browser = await chromium.launch({ executablePath, args: ARGS });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const complaints: string[] = [];
  const addresses: string[] = [];
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('request', (request) => addresses.push(request.url()));
  return { context, complaints, addresses };
}
