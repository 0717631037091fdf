/** Stores as released versions wrote them, with their masters: test/fixtures/stores. */

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../../lab/store.ts';

const FOLDER = fileURLToPath(new URL('../fixtures/stores/', import.meta.url));

export const GOLDEN_MASTERS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(FOLDER, 'masters.json'), 'utf8'),
);

/** What every one of them holds. */
export const GOLDEN_SECRETS: Readonly<Record<string, string>> = {
  BYBIT_SECRET: 'tést-välue-föur-0123456789',
  DEEPSEEK_API_KEY: 'test-value-one-0123456789',
  DEEPSEEK_API_KEY_2: 'test-value-two-0123456789',
  PERPLEXITY_API_KEY: 'test-value-three-0123456789',
};

export function goldenText(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

export function goldenMaster(name: string): string {
  const master = GOLDEN_MASTERS[name];
  if (master === undefined) throw new Error(`there is no golden store ${name}`);
  return master;
}

/** A copy that the test may change. */
export function goldenCopy(name: string): string {
  const path = join(temporaryFolder(), name);
  copyFileSync(join(FOLDER, name), path);
  return path;
}
