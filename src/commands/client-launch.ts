/** How a client is to start this very program, with the settings it was called with. */

import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { NAME } from '../base/version.ts';
import type { Client, Launch } from '../clients/client.ts';
import { clientFile, projectFile } from '../clients/client-place.ts';
import { CLIENT_IDS, CLIENTS } from '../clients/client-rows.ts';
import { type ClientPlace, userFolders } from '../clients/install.ts';
import { type Environment, type GlobalFlags, loadConfig, presentValue } from '../config.ts';
import type { CommandInput, CommandOptions } from './command.ts';
import { settingFlags } from './command-line/setting-flags.ts';
import { nearest } from './command-line/suggest.ts';

/** Room for our own answer at the deadline to reach the client before it gives up. */
const GRACE_SEC = 20;

export function clientNamed(word: string | undefined): Client {
  const client = CLIENTS.find((candidate) => candidate.id === word);
  if (client !== undefined) return client;
  const meant = word === undefined ? null : nearest(word, CLIENT_IDS);
  throw new ConfigError('unknown client', {
    hint: `${meant === null ? '' : `did you mean ${meant}? `}use one of ${CLIENT_IDS.join(', ')}; for any other, ${NAME} install claude-desktop --print shows what most of them take`,
  });
}

/** @throws ConfigError when the server itself could not start with these settings */
export function launchOf(flags: GlobalFlags, env: Environment): Launch {
  const { callTimeoutMs } = loadConfig(flags, env);
  return {
    command: process.execPath,
    args: [realpathSync(process.argv[1] ?? ''), 'serve', ...settingFlags(flags, env)],
    toolTimeoutSec: Math.ceil(callTimeoutMs / 1000) + GRACE_SEC,
  };
}

export const PROJECT_FLAG = {
  project: {
    type: 'boolean',
    about: "the client's file in this folder's project, which npm starts, instead of your own",
  },
} as const satisfies CommandOptions;

/** @throws ConfigError for a client that has no file in a project */
export function placeFor(client: Client, { values, flags, env }: CommandInput): ClientPlace {
  const { home } = loadConfig(flags, env);
  const backups = join(home, 'backups');
  if (values.project !== true) return { path: clientFile(client, userFolders(env)), backups };
  const path = projectFile(client, process.cwd());
  if (path !== null) return { path, backups };
  throw new ConfigError(`${client.title} has no file in a project`, {
    hint: 'leave --project out to use your own file',
  });
}

/** For a file that is shared with others: npm finds the program, and no path of this machine. */
export function projectLaunch(flags: GlobalFlags, env: Environment): Launch {
  const { callTimeoutMs } = loadConfig(flags, env);
  const environment = flags.environment === undefined ? [] : ['--environment', flags.environment];
  return {
    command: 'npx',
    args: ['-y', NAME, 'serve', ...environment],
    toolTimeoutSec: Math.ceil(callTimeoutMs / 1000) + GRACE_SEC,
  };
}

/** What works in this shell and will not in the client, each with the way out. */
export function launchNotes(launch: Launch, env: Environment): string[] {
  const notes: string[] = [];
  const has = (variable: string): boolean => presentValue(env[variable]) !== undefined;
  if (/[\\/]_npx[\\/]/.test(launch.args[0] ?? '')) {
    notes.push(
      `this copy of ${NAME} is in npx's cache, which may be cleared; better: npm install --global ${NAME}, then install again`,
    );
  }
  for (const variable of [
    'MASTER_ENCRYPTION_KEY',
    'MASTER_ENCRYPTION_KEY_FILE',
    'MASTER_ENCRYPTION_KEY_COMMAND',
  ]) {
    if (has(variable)) {
      notes.push(
        `${variable} is set in this shell, which the client does not see; put it into the .env of the home folder`,
      );
    }
  }
  if (Object.keys(env).some((name) => /^(?:DEEPSEEK|PERPLEXITY)_API_KEY/.test(name) && has(name))) {
    notes.push(
      `API keys of this shell's environment are not written into the client's file; add them to the store with ${NAME} keys add NAME`,
    );
  }
  return notes;
}
