/** `init` on a terminal goes on to what a new home lacks: its first keys. */

import { PROVIDER_NAMES, PROVIDERS, type Provider } from '../../base/errors.ts';
import { maskValue } from '../../base/keys/key-id.ts';
import { providerOf } from '../../base/keys/key-names.ts';
import { type Environment, type GlobalFlags, loadConfig } from '../../config.ts';
import { readGivenKeys } from '../../importing/given-keys.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import type { NewSecret } from '../../secrets/store/put-secrets.ts';
import { print, tell } from '../command.ts';
import { typeHidden } from '../terminal/prompt.ts';
import { nameKeys } from './name-keys.ts';

/** Where the store is, and what the environment has already. */
interface Settings {
  readonly flags: GlobalFlags;
  readonly env: Environment;
}

/** Asks until there is a key or none is wanted: a mistaken paste is no reason to begin again. */
async function askFor(provider: Provider): Promise<readonly string[]> {
  for (;;) {
    const text = await typeHidden(`${PROVIDER_NAMES[provider]} key (not shown, Enter skips): `);
    if (text.trim() === '') return [];
    const given = readGivenKeys(provider, text);
    if (given.ok) return given.values;
    tell(`That was not taken: ${given.problem}.`);
  }
}

/**
 * Asks for the keys of each provider of which the environment has none, and stores them.
 *
 * @returns how many were stored
 * @throws an AbortError on Ctrl-C; what was stored before stays
 */
export async function askForFirstKeys(store: KeyStore, settings: Settings): Promise<number> {
  const { keys: inEnvironment } = loadConfig(settings.flags, settings.env).environmentKeys;
  const served = new Set([...inEnvironment.keys()].map(providerOf));
  let count = 0;
  for (const provider of PROVIDERS) {
    const values = served.has(provider) ? [] : await askFor(provider);
    if (values.length === 0) continue;
    let secrets: readonly NewSecret[] = [];
    await store.putChosen((held) => {
      secrets = nameKeys(provider, values, held, settings);
      return secrets;
    });
    for (const { name, value } of secrets) print(`Added ${name} (${maskValue(value)})`);
    count += secrets.length;
  }
  return count;
}
