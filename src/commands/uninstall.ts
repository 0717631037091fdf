import { CLIENT_IDS } from '../clients/clients.ts';
import { uninstallFrom, userFolders } from '../clients/install.ts';
import { clientNamed } from './client-launch.ts';
import { type Command, type CommandInput, print } from './command.ts';

async function run({ positionals, env }: CommandInput): Promise<number> {
  const client = clientNamed(positionals[0]);
  const { path, isChanged, backup } = await uninstallFrom(client, userFolders(env));
  print(
    isChanged ? `${client.title}: removed from ${path}` : `${client.title}: not installed, ${path}`,
  );
  if (backup !== null) print(`The file as it was: ${backup}`);
  return 0;
}

export const command: Command = {
  help: `Takes this server's entry out of the client's own file and keeps everything else. A copy is made
beside it first. Keys and settings of this program stay where they are.

CLIENT is ${CLIENT_IDS.join(', ')}.`,
  options: {},
  arguments: [{ name: 'CLIENT', choices: CLIENT_IDS }],
  run,
};
