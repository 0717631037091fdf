/** Puts our entry into a client's file, takes it out, and tells where it is. */

import { existsSync } from 'node:fs';
import { platform as hostPlatform } from 'node:os';
import { CommandError, ConfigError } from '../base/errors.ts';
import { userHome } from '../base/system/user-home.ts';
import { readWholeFileSync } from '../disk/read-file.ts';
import {
  type Client,
  type ClientPlatform,
  ENTRY_NAME,
  entryFields,
  type Launch,
} from './client.ts';
import { type ClientText, readClientFile, replaceClientFile, todaysBackup } from './client-file.ts';
import { clientFile, type UserFolders } from './client-place.ts';
import { CLIENTS } from './client-rows.ts';
import { type EntryPlace, type Format, UneditableText } from './file-format.ts';

/** A file that names a folder has no more. */
const POINTER_BYTES = 4_096;

export interface Change {
  /** The client's file. */
  readonly path: string;
  readonly isChanged: boolean;
  /** Copy of the file as it was; null when nothing changed or there was no file. */
  readonly backup: string | null;
}

/** The file to edit. */
export interface ClientPlace {
  readonly path: string;
  /** For copies of files in linked folders; empty where there is none. */
  readonly backups: string;
}

async function formatOf(client: Client): Promise<Format> {
  if (client.format === 'toml') return (await import('./toml-format.ts')).tomlFormat;
  if (client.format === 'yaml') return (await import('./yaml-format.ts')).yamlFormat;
  return (await import('./json-format.ts')).jsonFormat;
}

function placeOf(client: Client): EntryPlace {
  const { root, otherVersion } = client;
  return { root, name: ENTRY_NAME, ...(otherVersion === undefined ? {} : { otherVersion }) };
}

function readSmall(path: string): string | null {
  try {
    return readWholeFileSync(path, POINTER_BYTES).bytes.toString('utf8');
  } catch {
    return null;
  }
}

/** The folders of whoever runs this process. */
export function userFolders(
  env: UserFolders['env'],
  platform: string = hostPlatform(),
): UserFolders {
  const known: ClientPlatform = platform === 'win32' || platform === 'darwin' ? platform : 'linux';
  const home = userHome(env, known);
  if (home === null) {
    throw new ConfigError('this user has no home folder, where clients keep their files', {
      hint: 'set HOME',
    });
  }
  return { platform: known, home, env, exists: existsSync, read: readSmall };
}

function present(error: unknown, path: string): unknown {
  if (!(error instanceof UneditableText)) return error;
  return new CommandError(`${path} ${error.message}; nothing was changed`, {
    hint: 'mend the file, or print the entry with --print and put it in by hand',
  });
}

async function edit(
  client: Client,
  { path, backups }: ClientPlace,
  change: (format: Format, text: string, before: ClientText) => string | Promise<string>,
): Promise<Change> {
  const before = await readClientFile(path, backups);
  const format = await formatOf(client);
  try {
    const text = await change(format, before.text ?? '', before);
    if (text === (before.text ?? '')) return { path, isChanged: false, backup: null };
    return { path, isChanged: true, backup: await replaceClientFile(before, text) };
  } catch (error) {
    throw present(error, path);
  }
}

/**
 * @throws CommandError when the file is malformed, unreadable or unwritable; it is then untouched
 */
export function installInto(client: Client, launch: Launch, place: ClientPlace): Promise<Change> {
  const fields = entryFields(client, launch);
  return edit(client, place, (format, text) => format.merge(text, placeOf(client), fields));
}

/**
 * A table of servers that was there before ours came stays when it is empty again.
 *
 * @throws CommandError as `installInto`
 */
export function uninstallFrom(client: Client, file: ClientPlace): Promise<Change> {
  const place = placeOf(client);
  return edit(client, file, async (format, text, before) => {
    const backup = await todaysBackup(before);
    const isTableKept = backup !== null && hadTable(format, backup, place);
    return format.remove(text, place, isTableKept);
  });
}

function hadTable(format: Format, text: string, place: EntryPlace): boolean {
  try {
    return format.hasTable(text, place);
  } catch (error) {
    if (error instanceof UneditableText) return false;
    throw error;
  }
}

/** The entry as a file of its own, to be shown or pasted. */
export async function renderEntry(client: Client, launch: Launch): Promise<string> {
  return (await formatOf(client)).render(placeOf(client), entryFields(client, launch));
}

/** `no file`: the client is not there or never had a server. `unreadable`: a person has to look. */
export type ClientState = 'configured' | 'not configured' | 'no file' | 'unreadable';

export interface ClientStatus {
  readonly id: string;
  readonly title: string;
  readonly path: string;
  readonly state: ClientState;
}

async function stateOf(client: Client, path: string): Promise<ClientState> {
  try {
    const { text } = await readClientFile(path);
    if (text === null) return 'no file';
    const hasEntry = (await formatOf(client)).has(text, placeOf(client));
    return hasEntry ? 'configured' : 'not configured';
  } catch (error) {
    if (error instanceof CommandError || error instanceof UneditableText) return 'unreadable';
    throw error;
  }
}

/** Every known client with the state of our entry in its file, in the table's order. For doctor. */
export function configuredClients(folders: UserFolders): Promise<ClientStatus[]> {
  return Promise.all(
    CLIENTS.map(async (client) => {
      const path = clientFile(client, folders);
      return { id: client.id, title: client.title, path, state: await stateOf(client, path) };
    }),
  );
}
