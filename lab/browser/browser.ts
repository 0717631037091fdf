/** A headless browser for tests; those that need one are skipped where there is none. */

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { hasChromium, launchChromium } from './chromium.ts';

export const hasBrowser = hasChromium;
if (!hasBrowser)
  console.warn('chromium is missing (Debian package chromium): browser tests skipped');

export interface SeenPage {
  /** Errors, warnings and violations of the content security policy. */
  readonly complaints: string[];
  /** Every address that was asked for. */
  readonly addresses: string[];
}

export interface OpenBrowser extends SeenPage {
  readonly context: BrowserContext;
}

let launched: Promise<Browser> | null = null;

/** One for all tests of the file that calls it: to start it takes longer than most of them. */
export function useBrowser(): void {
  afterAll(async () => {
    const browser = await launched;
    launched = null;
    await browser?.close();
  });
}

/** A window with a profile of its own, empty, closed with the test. */
export async function openBrowser(
  options: { readonly width?: number; readonly colorScheme?: 'light' | 'dark' } = {},
): Promise<OpenBrowser> {
  const { width = 1280, colorScheme = 'light' } = options;
  launched ??= launchChromium();
  const browser = await launched;
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  onTestFinished(() => context.close());
  const complaints: string[] = [];
  const addresses: string[] = [];
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('request', (request) => addresses.push(request.url()));
  return { context, complaints, addresses };
}
