import { loadConfig } from '../../config.ts';
import { clientTokensPath, readClientTokens } from '../../secrets/client-tokens.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { readClientUses } from '../composition/home/client-uses.ts';
import { table } from '../terminal/table.ts';

async function run({ values, flags, env }: CommandInput): Promise<number> {
  const { home } = loadConfig(flags, env);
  const uses = await readClientUses(home);
  const clients = (await readClientTokens(clientTokensPath(home))).map(({ name, createdAt }) => ({
    name,
    created: createdAt,
    last_used: uses[name] !== undefined && uses[name] >= createdAt ? uses[name] : null,
  }));
  if (values.json === true) print(JSON.stringify(clients, null, 2));
  else if (clients.length === 0)
    tell('No client has a token of its own; keypool-mcp clients add NAME');
  else {
    const rows = clients.map(({ name, created, last_used }) => [
      name,
      created,
      last_used ?? 'never',
    ]);
    print(table(['NAME', 'CREATED', 'LAST USED'], rows));
  }
  return 0;
}

export const command: Command = {
  help: `The clients that have a token of their own: since when, and when each called last (to the minute).`,
  options: { json: { type: 'boolean', about: 'for programs' } },
  arguments: [],
  run,
};
