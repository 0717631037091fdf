/**
 * What a server found out about accounts that nobody named, kept for `doctor`: names and key ids of
 * keys, in `found-accounts.json` in the home folder. Losing it costs nothing but the advice.
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { PROVIDERS, type Provider } from '../../base/errors.ts';

const KEY = z.object({ name: z.string(), keyId: z.string() });
const ACCOUNTS = z.array(z.array(KEY).check(z.minLength(2)));
const DOCUMENT = z.object({
  deepseek: z.optional(ACCOUNTS),
  perplexity: z.optional(ACCOUNTS),
});

export interface FoundKey {
  readonly name: string;
  readonly keyId: string;
}

export type FoundAccounts = ReadonlyArray<readonly FoundKey[]>;

function pathIn(home: string): string {
  return join(home, 'found-accounts.json');
}

/** Nothing where there is no such file, or one that is not ours. */
export async function readFoundAccounts(
  home: string,
): Promise<Partial<Record<Provider, FoundAccounts>>> {
  try {
    const parsed = DOCUMENT.safeParse(JSON.parse(await readFile(pathIn(home), 'utf8')));
    if (!parsed.success) return {};
    return Object.fromEntries(PROVIDERS.map((name) => [name, parsed.data[name] ?? []]));
  } catch {
    return {};
  }
}

/** Replaces what is known of one provider; an older reading of another one stays. */
export async function writeFoundAccounts(
  home: string,
  provider: Provider,
  accounts: FoundAccounts,
): Promise<void> {
  const known = await readFoundAccounts(home);
  const text = `${JSON.stringify({ ...known, [provider]: accounts }, null, 2)}\n`;
  await mkdir(home, { recursive: true, mode: 0o700 });
  // Several servers may run on one home: whoever comes last is right, and nobody reads a half.
  const temporary = `${pathIn(home)}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, pathIn(home));
}
