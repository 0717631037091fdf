import { CLIENT_IDS } from '../clients/client-rows.ts';
import { uninstallFrom } from '../clients/install.ts';
import { clientNamed, PROJECT_FLAG, placeFor } from './client-launch.ts';
import { type Command, type CommandInput, print } from './command.ts';

async function run(input: CommandInput): Promise<number> {
  const client = clientNamed(input.positionals[0]);
  const { path, isChanged, backup } = await uninstallFrom(client, placeFor(client, input));
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
  options: PROJECT_FLAG,
  arguments: [{ name: 'CLIENT', choices: CLIENT_IDS }],
  run,
};
