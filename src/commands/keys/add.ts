import { ConfigError } from '../../base/errors.ts';
import { maskValue } from '../../base/keys/key-id.ts';
import { aliasedProvider, FAMILIES } from '../../base/keys/key-names.ts';
import { unwrapValue } from '../../base/keys/key-values.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { checkAccount, checkGivenValue, checkName } from '../../secrets/names.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';
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

/** What a person would want to know about this key beside that it is stored. */
function remarks(store: KeyStore, name: string, value: string): string[] {
  const provider = aliasedProvider(name);
  const family = provider === null ? null : FAMILIES[provider];
  const others = store
    .list()
    .filter((entry) => entry.name !== name && store.get(entry.name) === value);
  return [
    ...(family === null
      ? []
      : [`The pool does not use keys of that name: keypool-mcp keys rename ${name} ${family}`]),
    ...others.map(
      (entry) => `The same value is stored as ${entry.name}; one key twice is not two.`,
    ),
    ...(store.format === 'fernet'
      ? ['The store is a legacy file; keypool-mcp keys migrate makes it v2.']
      : []),
  ];
}

async function run(input: CommandInput): Promise<number> {
  refuseValueInArgv(input.positionals);
  const [name = ''] = input.positionals;
  checkName(name);
  const { account } = input.values;
  if (typeof account === 'string') checkAccount(account);
  // The store is opened first: nobody should type a key for a store that cannot take it.
  const store = await openStoreOf(input);
  const given = await readSecret(`Value for ${name} (not shown): `);
  const value = unwrapValue(given);
  checkGivenValue(name, value);
  const outcome = await store.put(name, value, typeof account === 'string' ? account : undefined);
  if (value !== given.trim()) tell('What stood around the value was taken off.');
  print(`${DONE[outcome]} ${name} (${maskValue(value)})`);
  for (const remark of remarks(store, name, value)) tell(remark);
  return 0;
}

export const command: Command = {
  help: `Asks for the value without showing it, or takes it from standard input when piped. An existing
key of that name is replaced.`,
  options: {
    account: {
      type: 'string',
      value: 'LABEL',
      about: 'what the provider limits and bills; keys of one account share it',
    },
  },
  arguments: [{ name: 'NAME' }],
  takesMore: true,
  run,
};
