import { ConfigError } from '../../base/errors.ts';
import { loadConfig } from '../../config.ts';
import { makeFolder } from '../../disk/make-folder.ts';
import { addClientToken, clientTokensPath, isClientName } from '../../secrets/client-tokens.ts';
import { type Command, type CommandInput, printSecret, tell } from '../command.ts';

/** The name is not repeated: it may be a token that landed in the wrong place. */
export function checkedClientName([name = '']: readonly string[]): string {
  if (isClientName(name)) return name;
  throw new ConfigError('that is no name for a client', {
    hint: 'up to 32 letters, digits, - and _, for instance build-server',
  });
}

async function run({ positionals, flags, env }: CommandInput): Promise<number> {
  const name = checkedClientName(positionals);
  const { home } = loadConfig(flags, env);
  await makeFolder(home);
  const token = await addClientToken(clientTokensPath(home), name);
  tell(`The token of ${name}, shown this once; it may call the tools and manages no keys:`);
  printSecret(token);
  return 0;
}

export const command: Command = {
  help: `Makes a token for one client of serve --http, and shows it once: what is kept is its hash. Whoever has
it may call the tools and read the metrics, and may not see or change keys. Clients share the pool
fairly, and each stands under its name in metrics, log and usage. A running server knows it at once.`,
  options: {},
  arguments: [{ name: 'NAME' }],
  run,
};
