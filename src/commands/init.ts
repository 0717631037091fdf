import { ConfigError } from '../base/errors.ts';
import { loadConfig } from '../config.ts';
import { VAULTS, type Vault } from '../secrets/vault/vaults.ts';
import { askForFirstKeys } from './asking/first-keys.ts';
import { type Command, type CommandInput, print, tell } from './command.ts';
import { COMMAND_VARIABLE, makeHome } from './composition/home/make-home.ts';
import { isAtTerminal } from './terminal/prompt.ts';

/** Where the person wants the master key to be; null for the settings file. */
function chosenVault(input: CommandInput): Vault | null {
  const { master } = input.values;
  if (master === undefined) return null;
  const vault = VAULTS.find((each) => each === master);
  if (vault !== undefined) return vault;
  throw new ConfigError('--master names no place that is known', {
    hint: `use one of ${VAULTS.join(', ')}; anything else that prints the key: ${COMMAND_VARIABLE}`,
  });
}

async function run(input: CommandInput): Promise<number> {
  const vault = chosenVault(input);
  const { flags, env } = input;
  const { home, warnings } = loadConfig(flags, env);
  const { store, masterKey } = await makeHome({ flags, env, vault });
  for (const { message, hint } of warnings) tell(`Warning: ${message}; ${hint}`);
  const count = store.list().length;
  print(`Home        ${home}`);
  print(`Master key  ${masterKey}`);
  print(`Key store   ${store.path} (${count === 0 ? 'empty' : `keys: ${count}`})`);
  if (store.format === 'fernet')
    tell('The store is a legacy file; keypool-mcp keys migrate makes it v2.');
  tell('Keep a copy of the master key in a safe place: without it the store cannot be opened.');
  if (count > 0) return 0;
  const added = isAtTerminal() ? await askForFirstKeys(store, { flags, env }) : 0;
  tell(
    added === 0
      ? 'Next: keypool-mcp keys add DEEPSEEK_API_KEY, or keypool-mcp keys import FILE'
      : 'Next: keypool-mcp install CLIENT; keypool-mcp install --help names the clients',
  );
  return 0;
}

export const command: Command = {
  help: `Makes the home folder, a generated master key in its .env, and an empty key store.
What exists is never overwritten: a second run only says what is there. On a terminal it goes on to
ask for the first keys, while the store is empty; Enter skips.`,
  options: {
    master: {
      type: 'string',
      value: 'PLACE',
      choices: VAULTS,
      about: 'keep the master key there instead of in the .env',
    },
  },
  arguments: [],
  run,
};
