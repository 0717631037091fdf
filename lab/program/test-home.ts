/** A temporary home with an encrypted store, and the environment that points at the simulator. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { run, type Variables } from './program.ts';

export interface KeyEntry {
  readonly name: string;
  readonly secret: string;
  readonly account?: string;
}

export interface HomeOptions {
  readonly keys?: readonly KeyEntry[];
  readonly simulator?: Simulator;
  /** The folder to make it in; by default the system's for temporary files. */
  readonly under?: string;
  /** Further variables of the child. */
  readonly env?: Variables;
}

export interface Home {
  readonly folder: string;
  /** Where the child puts temporary files, if any; below `folder`'s parent, searched by canaries. */
  readonly tmp: string;
  /** HOME, KEYPOOL_HOME, TMPDIR, base URLs and what was asked for; PATH is added by the spawner. */
  readonly env: Variables;
  remove(): void;
}

/** A server that is about to end may still write its last line into a folder that was just emptied. */
function removeFolder(path: string, tries = 20): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  } catch (error) {
    if (tries === 0) throw error;
    removeFolder(path, tries - 1);
  }
}

/** Stores keys by the program's own commands, as a user would: `init`, then `keys import` and `keys add`. */
export async function createHome(options: HomeOptions = {}): Promise<Home> {
  const root = mkdtempSync(join(options.under ?? tmpdir(), 'keypool-test-'));
  const folder = join(root, 'home');
  const tmp = mkdtempSync(join(root, 'tmp-'));
  const { simulator, keys = [] } = options;
  const env = {
    HOME: root,
    TMPDIR: tmp,
    KEYPOOL_HOME: folder,
    ...(simulator === undefined
      ? {}
      : {
          DEEPSEEK_BASE_URL: simulator.deepseekUrl,
          PERPLEXITY_BASE_URL: simulator.perplexityUrl,
        }),
    ...options.env,
  };
  const home = {
    folder,
    tmp,
    env,
    remove: () => removeFolder(root),
  };
  try {
    if (keys.length > 0) await storeKeys(root, env, keys);
    return home;
  } catch (error) {
    home.remove();
    throw error;
  }
}

async function storeKeys(root: string, env: Variables, keys: readonly KeyEntry[]): Promise<void> {
  await expectSuccess(['init'], env);
  const plain = keys.filter((key) => key.account === undefined);
  if (plain.length > 0) {
    // One command for all of them; it is labels that `keys import` has no place for.
    const file = join(root, 'import.env');
    const lines = plain.map(({ name, secret }) => `${name}=${secret}\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
    await expectSuccess(['keys', 'import', file], env);
    rmSync(file);
  }
  for (const { name, secret, account } of keys) {
    if (account === undefined) continue;
    await expectSuccess(['keys', 'add', name, '--account', account], env, secret);
  }
}

async function expectSuccess(args: readonly string[], env: Variables, input = ''): Promise<void> {
  const { code, stderr } = await run(args, env, { input });
  if (code !== 0) throw new Error(`keypool-mcp ${args.join(' ')} ended with ${code}: ${stderr}`);
}
