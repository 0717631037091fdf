import { checkName } from '../../secrets/names.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

async function run(input: CommandInput): Promise<number> {
  const [name = ''] = input.positionals;
  const store = await openStoreOf(input);
  // A legacy file may hold names that we would not make; those can still be removed.
  if (!store.has(name)) checkName(name);
  await store.remove(name);
  print(`Removed ${name}`);
  tell('It still works at its provider: revoke it there if it is not needed any more.');
  return 0;
}

export const command: Command = {
  help: 'Takes one key out of the store.',
  options: {},
  arguments: [{ name: 'NAME' }],
  run,
};
