import type { Client } from '../clients/client.ts';
import { CLIENT_IDS } from '../clients/client-rows.ts';
import { installInto, renderEntry } from '../clients/install.ts';
import {
  clientNamed,
  launchNotes,
  launchOf,
  PROJECT_FLAG,
  placeFor,
  projectLaunch,
} from './client-launch.ts';
import { type Command, type CommandInput, print, tell } from './command.ts';

function titled(client: Client, path: string, what: string): string {
  return `${client.title}: ${what} ${path}`;
}

async function run(input: CommandInput): Promise<number> {
  const { positionals, values, flags, env } = input;
  const client = clientNamed(positionals[0]);
  const isProject = values.project === true;
  const launch = isProject ? projectLaunch(flags, env) : launchOf(flags, env);
  const place = placeFor(client, input);
  if (values.print === true) {
    tell(`# belongs into ${place.path}`);
    print((await renderEntry(client, launch)).trimEnd());
    return 0;
  }
  const { path, isChanged, backup } = await installInto(client, launch, place);
  print(titled(client, path, isChanged ? 'installed in' : 'unchanged,'));
  if (backup !== null) print(`The file as it was: ${backup}`);
  if (isChanged) print(`Next: ${client.next}`);
  if (!isProject) for (const note of launchNotes(launch, env)) tell(`note: ${note}`);
  return 0;
}

export const command: Command = {
  help: `Enters this server into the client's own file and keeps the rest of the file, its comments and
formatting. A copy is made beside it first. Running it again changes nothing; running it with other
flags, or from another place, brings the entry up to date.

CLIENT is ${CLIENT_IDS.join(', ')}.

--home, --store, --dotenv, --environment and --log-level are passed on to the server.
No key and no master key is ever written into a client's file.`,
  options: {
    ...PROJECT_FLAG,
    print: { type: 'boolean', about: 'print the entry and change nothing' },
  },
  arguments: [{ name: 'CLIENT', choices: CLIENT_IDS }],
  run,
};
