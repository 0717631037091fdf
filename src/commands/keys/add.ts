import { ConfigError } from '../../base/errors.ts';
import { maskValue } from '../../base/redact.ts';
import { loadConfig, presentValue } from '../../config.ts';
import { checkAccount, checkName } from '../../secrets/names.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openConfiguredStore } from '../composition/open-store.ts';
import { readSecret } from '../terminal/prompt.ts';

const DONE = { added: 'Added', replaced: 'Replaced', unchanged: 'Unchanged:' } as const;

/** Every process of the machine can read argv, and the shell keeps it in its history. */
function refuseValueInArgv(positionals: readonly string[]): void {
  const [first = '', ...others] = positionals;
  if (others.length === 0 && !first.includes('=')) return;
  throw new ConfigError('a value on the command line is not accepted', {
    hint: 'it is in your shell history now: replace that key at its provider, then run keypool-mcp keys add NAME and type the new one at the prompt, or pipe it in',
  });
}

async function run(input: CommandInput): Promise<number> {
  refuseValueInArgv(input.positionals);
  const [name = ''] = input.positionals;
  checkName(name);
  const { account } = input.values;
  if (typeof account === 'string') checkAccount(account);
  // The store is opened first: nobody should type a key for a store that cannot take it.
  const store = await openConfiguredStore(loadConfig(input.flags, input.env));
  const value = await readSecret(`Value for ${name} (not shown): `);
  if (presentValue(value) === undefined) {
    throw new ConfigError('the value is a placeholder, not a key', {
      hint: 'copy the key itself from the provider',
    });
  }
  const outcome = await store.put(name, value, typeof account === 'string' ? account : undefined);
  print(`${DONE[outcome]} ${name} (${maskValue(value)})`);
  if (store.format === 'fernet')
    tell('The store is a legacy file; keypool-mcp keys migrate makes it v2.');
  return 0;
}

export const command: Command = {
  help: `Asks for the value without showing it, or takes it from standard input when piped. An existing
key of that name is replaced.

  --account LABEL   what the provider limits and bills; keys of one account share it`,
  options: { account: { type: 'string' } },
  positionals: [1, 99],
  run,
};
