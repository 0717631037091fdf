import { aliasedProvider, FAMILIES } from '../../base/keys/key-names.ts';
import { checkName } from '../../secrets/names.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

async function run(input: CommandInput): Promise<number> {
  const [name = '', next = ''] = input.positionals;
  checkName(next);
  const store = await openStoreOf(input);
  // A legacy file may hold names that we would not make; those are what this command is for.
  if (!store.has(name)) checkName(name);
  await store.rename(name, next);
  print(`Renamed ${name} to ${next}`);
  const provider = aliasedProvider(next);
  if (provider !== null) {
    tell(`The pool uses names such as ${FAMILIES[provider]} and ${FAMILIES[provider]}_2 only.`);
  }
  return 0;
}

export const command: Command = {
  help: `Gives a key another name; its value, account and date stay. A name that is in use is never taken.
The pool uses DEEPSEEK_API_KEY, DEEPSEEK_API_KEY_2 and so on, and the same for PERPLEXITY.`,
  options: {},
  arguments: [{ name: 'OLD' }, { name: 'NEW' }],
  run,
};
