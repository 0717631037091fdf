import { CLIENT_IDS, clientFile } from '../clients/clients.ts';
import { installInto, renderEntry, userFolders } from '../clients/install.ts';
import { clientNamed, launchNotes, launchOf } from './client-launch.ts';
import { type Command, type CommandInput, print, tell } from './command.ts';

async function run({ positionals, values, flags, env }: CommandInput): Promise<number> {
  const client = clientNamed(positionals[0]);
  const launch = launchOf(flags, env);
  const folders = userFolders(env);
  if (values.print === true) {
    tell(`# belongs into ${clientFile(client, folders)}`);
    print((await renderEntry(client, launch)).trimEnd());
    return 0;
  }
  const { path, isChanged, backup } = await installInto(client, launch, folders);
  print(
    isChanged ? `${client.title}: installed in ${path}` : `${client.title}: unchanged, ${path}`,
  );
  if (backup !== null) print(`The file as it was: ${backup}`);
  if (isChanged) print(`Next: ${client.next}`);
  for (const note of launchNotes(launch, env)) tell(`note: ${note}`);
  return 0;
}

export const command: Command = {
  help: `Enters this server into the client's own file and keeps the rest of the file, its comments and
formatting. A copy is made beside it first. Running it again changes nothing; running it with other
flags, or from another place, brings the entry up to date.

CLIENT is ${CLIENT_IDS.join(', ')}.

--home, --store, --dotenv, --environment and --log-level are passed on to the server.
No key and no master key is ever written into a client's file.`,
  options: { print: { type: 'boolean', about: 'print the entry and change nothing' } },
  arguments: [{ name: 'CLIENT', choices: CLIENT_IDS }],
  run,
};
