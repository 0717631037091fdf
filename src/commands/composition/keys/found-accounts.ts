/**
 * What a server found out about accounts that nobody named, kept for `doctor`: names and key ids of
 * keys, in `found-accounts.json` in the home folder. Losing it costs nothing but the advice.
 */

import { join } from 'node:path';
import * as z from 'zod/mini';
import { PROVIDERS, type Provider } from '../../../base/errors.ts';
import { makeFolder } from '../../../disk/make-folder.ts';
import { readWholeFile } from '../../../disk/read-file.ts';
import { replaceFile } from '../../../disk/replace-file.ts';

const MAX_BYTES = 1024 * 1024;

const KEY = z.object({ name: z.string(), keyId: z.string() });
const ACCOUNTS = z.array(z.array(KEY).check(z.minLength(2)));
const DOCUMENT = z.object({
  deepseek: z.optional(ACCOUNTS),
  perplexity: z.optional(ACCOUNTS),
});

export interface FoundAccountKey {
  readonly name: string;
  readonly keyId: string;
}

export type FoundAccountsFile = ReadonlyArray<readonly FoundAccountKey[]>;

function pathIn(home: string): string {
  return join(home, 'found-accounts.json');
}

/** Nothing where there is no such file, or one that is not ours. */
export async function readFoundAccounts(
  home: string,
): Promise<Partial<Record<Provider, FoundAccountsFile>>> {
  try {
    const { bytes } = await readWholeFile(pathIn(home), MAX_BYTES);
    const parsed = DOCUMENT.safeParse(JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) return {};
    return Object.fromEntries(PROVIDERS.map((name) => [name, parsed.data[name] ?? []]));
  } catch {
    return {};
  }
}

/** One writing after the other: two at once, and what was found first would stand there last. */
let writing: Promise<void> = Promise.resolve();

/** Replaces what is known of one provider; an older reading of another one stays. */
export function writeFoundAccounts(
  home: string,
  provider: Provider,
  accounts: FoundAccountsFile,
): Promise<void> {
  const written = writing.then(() => write(home, provider, accounts));
  writing = written.catch(() => {});
  return written;
}

async function write(home: string, provider: Provider, accounts: FoundAccountsFile): Promise<void> {
  const known = await readFoundAccounts(home);
  const text = `${JSON.stringify({ ...known, [provider]: accounts }, null, 2)}\n`;
  await makeFolder(home);
  // Several servers may run on one home: whoever comes last is right, and nobody reads a half.
  await replaceFile(pathIn(home), text);
}
