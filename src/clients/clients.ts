/**
 * The MCP clients this program can enter itself into, as plain data. `install`, `uninstall`,
 * `doctor`, docs/clients.md and the packaging script all read this one table.
 */

import { posix, win32 } from 'node:path';

export const CLIENT_IDS = [
  'claude-desktop',
  'claude-code',
  'vscode',
  'cursor',
  'zed',
  'windsurf',
  'codex',
] as const;
export type ClientId = (typeof CLIENT_IDS)[number];

export type ClientPlatform = 'linux' | 'darwin' | 'win32';

/** The name our entry has in every client's file. */
export const ENTRY_NAME = 'keypool-mcp';

export type FieldValue = string | number | readonly string[];
export type EntryFields = Readonly<Record<string, FieldValue>>;

export interface Client {
  readonly id: ClientId;
  readonly title: string;
  readonly format: 'json' | 'toml';
  /** The member that holds the servers by name. */
  readonly root: string;
  /**
   * The client's own file, best first; `~`, `$XDG_CONFIG_HOME`, `%APPDATA%` and `%LOCALAPPDATA%`
   * stand for the user's folders. The first whose folder exists is taken, else the last.
   */
  readonly files: Readonly<Record<ClientPlatform, readonly string[]>>;
  /** A variable of the client that moves its file to another folder. */
  readonly override?: { readonly variable: string; readonly file: string };
  /** What an entry needs beside command and args. */
  readonly extra: EntryFields;
  /** Where the client lets an entry set its time limit for a tool call, in seconds. */
  readonly timeoutField?: string;
  /** What makes the client read its file again. */
  readonly next: string;
}

const everywhere = (file: string): Client['files'] => ({
  linux: [file],
  darwin: [file],
  win32: [file.replaceAll('/', '\\')],
});

export const CLIENTS: readonly Client[] = [
  {
    id: 'claude-desktop',
    title: 'Claude Desktop',
    format: 'json',
    root: 'mcpServers',
    files: {
      linux: ['$XDG_CONFIG_HOME/Claude/claude_desktop_config.json'],
      darwin: ['~/Library/Application Support/Claude/claude_desktop_config.json'],
      // The packaged (MSIX) installer redirects the app's roaming folder; where it is in use, the
      // plain file is never read.
      win32: [
        '%LOCALAPPDATA%\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json',
        '%APPDATA%\\Claude\\claude_desktop_config.json',
      ],
    },
    extra: {},
    next: 'quit Claude Desktop completely and start it again',
  },
  {
    // The user scope, "claude mcp add --scope user": a project's .mcp.json is shared through the
    // repository, and an entry with this machine's paths does not belong there.
    id: 'claude-code',
    title: 'Claude Code',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.claude.json'),
    override: { variable: 'CLAUDE_CONFIG_DIR', file: '.claude.json' },
    extra: { type: 'stdio' },
    next: 'start a new Claude Code session; /mcp shows the server',
  },
  {
    // The user profile's mcp.json and not a workspace's .vscode/mcp.json, for the same reason.
    id: 'vscode',
    title: 'VS Code',
    format: 'json',
    root: 'servers',
    files: {
      linux: ['$XDG_CONFIG_HOME/Code/User/mcp.json'],
      darwin: ['~/Library/Application Support/Code/User/mcp.json'],
      win32: ['%APPDATA%\\Code\\User\\mcp.json'],
    },
    extra: { type: 'stdio' },
    next: 'run "MCP: List Servers" in VS Code and start the server',
  },
  {
    id: 'cursor',
    title: 'Cursor',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.cursor/mcp.json'),
    extra: { type: 'stdio' },
    next: 'open Cursor Settings, MCP, and switch the server on',
  },
  {
    id: 'zed',
    title: 'Zed',
    format: 'json',
    root: 'context_servers',
    files: {
      linux: ['$XDG_CONFIG_HOME/zed/settings.json'],
      darwin: ['~/.config/zed/settings.json'],
      win32: ['%APPDATA%\\Zed\\settings.json'],
    },
    extra: {},
    timeoutField: 'timeout',
    next: 'Zed reads its settings at once; the Agent panel shows the server',
  },
  {
    id: 'windsurf',
    title: 'Windsurf',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.codeium/windsurf/mcp_config.json'),
    extra: {},
    next: 'press Refresh in Windsurf, Cascade, MCP servers',
  },
  {
    id: 'codex',
    title: 'Codex',
    format: 'toml',
    root: 'mcp_servers',
    files: everywhere('~/.codex/config.toml'),
    override: { variable: 'CODEX_HOME', file: 'config.toml' },
    extra: {},
    timeoutField: 'tool_timeout_sec',
    next: 'start a new Codex session; /mcp shows the server',
  },
];

/** How a client is to start this program. */
export interface Launch {
  /** Absolute: desktop programs do not see the shell's PATH, and Windows cannot spawn npx. */
  readonly command: string;
  readonly args: readonly string[];
  /** Longer than a call can take here, so that our own answer comes first. */
  readonly toolTimeoutSec: number;
}

/** The fields of our entry, in the order in which they are written. */
export function entryFields(client: Client, launch: Launch): EntryFields {
  return {
    ...client.extra,
    command: launch.command,
    args: launch.args,
    ...(client.timeoutField === undefined ? {} : { [client.timeoutField]: launch.toolTimeoutSec }),
  };
}

export interface UserFolders {
  readonly platform: ClientPlatform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly exists: (folder: string) => boolean;
}

/** The file of this client for this user, absolute. */
export function clientFile(client: Client, folders: UserFolders): string {
  const path = folders.platform === 'win32' ? win32 : posix;
  const variable = (name: string, fallback: readonly string[]): string =>
    folders.env[name] || path.join(folders.home, ...fallback);
  if (client.override !== undefined) {
    const moved = folders.env[client.override.variable];
    if (moved) return path.resolve(moved, client.override.file);
  }
  const files = client.files[folders.platform].map((template) =>
    path.normalize(
      template
        .replace(/^~/, () => folders.home)
        .replace('$XDG_CONFIG_HOME', () => variable('XDG_CONFIG_HOME', ['.config']))
        .replace('%APPDATA%', () => variable('APPDATA', ['AppData', 'Roaming']))
        .replace('%LOCALAPPDATA%', () => variable('LOCALAPPDATA', ['AppData', 'Local'])),
    ),
  );
  const present = files.find((file) => folders.exists(path.dirname(file)));
  return present ?? files.at(-1) ?? '';
}
