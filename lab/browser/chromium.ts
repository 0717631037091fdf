/** The system's own Chromium, headless: for tests of the page, and for the pictures in docs/. */

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((path) => existsSync(path));

export const hasChromium = executablePath !== undefined;

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @throws Error where there is no browser */
export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('chromium is missing (Debian: chromium)');
  return chromium.launch({ executablePath, args: ARGS });
}
