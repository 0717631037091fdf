import { loadConfig } from '../../config.ts';
import { clientTokensPath, removeClientToken } from '../../secrets/client-tokens.ts';
import { type Command, type CommandInput, print } from '../command.ts';
import { checkedClientName } from './add.ts';

async function run({ positionals, flags, env }: CommandInput): Promise<number> {
  const name = checkedClientName(positionals);
  await removeClientToken(clientTokensPath(loadConfig(flags, env).home), name);
  print(`Removed ${name}; its token opens nothing any more`);
  return 0;
}

export const command: Command = {
  help: `Takes the token of a client back. Running servers refuse it from then on.`,
  options: {},
  arguments: [{ name: 'NAME' }],
  run,
};
