/** Where a client's file is for this user, or for a project. */

import { join, posix, win32 } from 'node:path';
import type { Client, ClientPlatform } from './client.ts';

export interface UserFolders {
  readonly platform: ClientPlatform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether there is a file or folder of this path. */
  readonly exists: (path: string) => boolean;
  /** The text of a small file; null when there is none. */
  readonly read: (path: string) => string | null;
}

function expanded(template: string, folders: UserFolders): string {
  const path = folders.platform === 'win32' ? win32 : posix;
  const variable = (name: string, fallback: readonly string[]): string =>
    folders.env[name] || path.join(folders.home, ...fallback);
  return path.normalize(
    template
      .replace(/^~/, () => folders.home)
      .replace('$XDG_CONFIG_HOME', () => variable('XDG_CONFIG_HOME', ['.config']))
      .replace('%APPDATA%', () => variable('APPDATA', ['AppData', 'Roaming']))
      .replace('%LOCALAPPDATA%', () => variable('LOCALAPPDATA', ['AppData', 'Local'])),
  );
}

/** The file of this client for this user, absolute. */
export function clientFile(client: Client, folders: UserFolders): string {
  const path = folders.platform === 'win32' ? win32 : posix;
  for (const { variable, file = '' } of client.overrides ?? []) {
    const moved = folders.env[variable];
    if (moved) return path.resolve(moved, file);
  }
  if (client.pointer !== undefined) {
    const folder = folders.read(expanded(client.pointer.file, folders))?.trim() ?? '';
    if (path.isAbsolute(folder)) return path.join(folder, client.pointer.name);
  }
  const files = client.files[folders.platform].map((template) => expanded(template, folders));
  const folder = files.map((file) => path.dirname(file)).find(folders.exists);
  const inFolder = files.filter((file) => path.dirname(file) === folder);
  return inFolder.find(folders.exists) ?? inFolder[0] ?? files.at(-1) ?? '';
}

/** The file of this client in a project; null where it has none. */
export function projectFile(client: Client, folder: string): string | null {
  return client.project === undefined ? null : join(folder, client.project);
}
