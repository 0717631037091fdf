/** What is known of an MCP client, as plain data, and what our entry in its file looks like. */

/** The name our entry has in every client's file. */
export const ENTRY_NAME = 'keypool-mcp';

export type ClientPlatform = 'linux' | 'darwin' | 'win32';

export type FieldValue = string | number | boolean | readonly string[];
export type EntryFields = Readonly<Record<string, FieldValue>>;

/**
 * How an entry says what to start. `plain`: command and args. `list`: one list of both. `goose`:
 * cmd and args, with a name and a description of its own.
 */
export type EntryShape = 'plain' | 'list' | 'goose';

export interface Client {
  readonly id: string;
  readonly title: string;
  readonly format: 'json' | 'toml' | 'yaml';
  /** The member that holds the servers by name; a dot in it is part of its name. */
  readonly root: string;
  readonly shape?: EntryShape;
  /**
   * The client's own file, best first; `~`, `$XDG_CONFIG_HOME`, `%APPDATA%` and `%LOCALAPPDATA%`
   * stand for the user's folders. The first whose folder exists is taken, of several in it the one
   * that is there; else the last.
   */
  readonly files: Readonly<Record<ClientPlatform, readonly string[]>>;
  /** Variables of the client that move its file, strongest first; without a file it is the file. */
  readonly overrides?: ReadonlyArray<{ readonly variable: string; readonly file?: string }>;
  /** A file whose text is the folder that the first of `files` is in. */
  readonly pointer?: { readonly file: string; readonly name: string };
  /** Its file in a project, from the project's folder. */
  readonly project?: string;
  /** What an entry needs beside what is started. */
  readonly extra: EntryFields;
  /** Where the client lets an entry set its time limit for a tool call. */
  readonly timeout?: { readonly field: string; readonly unit: 's' | 'ms' };
  /** A member of the table of servers that another version of the client reads, and not ours. */
  readonly otherVersion?: string;
  /** What makes the client read its file again. */
  readonly next: string;
}

/** How a client is to start this program. */
export interface Launch {
  /** Absolute: desktop programs do not see the shell's PATH, and Windows cannot spawn npx. */
  readonly command: string;
  readonly args: readonly string[];
  /** Longer than a call can take here, so that our own answer comes first. */
  readonly toolTimeoutSec: number;
}

function started(shape: EntryShape, { command, args }: Launch): EntryFields {
  if (shape === 'list') return { command: [command, ...args] };
  return shape === 'goose' ? { cmd: command, args } : { command, args };
}

/** The fields of our entry, in the order in which they are written. */
export function entryFields(client: Client, launch: Launch): EntryFields {
  const { timeout, shape = 'plain' } = client;
  const limit = launch.toolTimeoutSec * (timeout?.unit === 'ms' ? 1_000 : 1);
  return {
    ...client.extra,
    ...started(shape, launch),
    ...(timeout === undefined ? {} : { [timeout.field]: limit }),
  };
}
