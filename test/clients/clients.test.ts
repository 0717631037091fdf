import { describe, expect, it } from 'vitest';
import { CLIENT_IDS, CLIENTS, type Client, clientFile } from '../../src/clients/clients.ts';

function client(id: string): Client {
  const found = CLIENTS.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no client ${id}`);
  return found;
}

const nothing = () => false;
const linux = { platform: 'linux', home: '/home/ada', env: {}, exists: nothing } as const;
const mac = { platform: 'darwin', home: '/Users/ada', env: {}, exists: nothing } as const;
const windows = {
  platform: 'win32',
  home: 'C:\\Users\\Ada',
  env: { APPDATA: 'D:\\Roaming' },
  exists: nothing,
} as const;

describe('the file of a client', () => {
  it('is known for every client on every platform', () => {
    const files = CLIENT_IDS.map((id) => [
      id,
      clientFile(client(id), linux),
      clientFile(client(id), mac),
      clientFile(client(id), windows),
    ]);
    expect(files).toMatchInlineSnapshot(`
      [
        [
          "claude-desktop",
          "/home/ada/.config/Claude/claude_desktop_config.json",
          "/Users/ada/Library/Application Support/Claude/claude_desktop_config.json",
          "D:\\Roaming\\Claude\\claude_desktop_config.json",
        ],
        [
          "claude-code",
          "/home/ada/.claude.json",
          "/Users/ada/.claude.json",
          "C:\\Users\\Ada\\.claude.json",
        ],
        [
          "vscode",
          "/home/ada/.config/Code/User/mcp.json",
          "/Users/ada/Library/Application Support/Code/User/mcp.json",
          "D:\\Roaming\\Code\\User\\mcp.json",
        ],
        [
          "cursor",
          "/home/ada/.cursor/mcp.json",
          "/Users/ada/.cursor/mcp.json",
          "C:\\Users\\Ada\\.cursor\\mcp.json",
        ],
        [
          "zed",
          "/home/ada/.config/zed/settings.json",
          "/Users/ada/.config/zed/settings.json",
          "D:\\Roaming\\Zed\\settings.json",
        ],
        [
          "windsurf",
          "/home/ada/.codeium/windsurf/mcp_config.json",
          "/Users/ada/.codeium/windsurf/mcp_config.json",
          "C:\\Users\\Ada\\.codeium\\windsurf\\mcp_config.json",
        ],
        [
          "codex",
          "/home/ada/.codex/config.toml",
          "/Users/ada/.codex/config.toml",
          "C:\\Users\\Ada\\.codex\\config.toml",
        ],
      ]
    `);
  });

  it('follows XDG_CONFIG_HOME and the variables of the clients themselves', () => {
    const env = { XDG_CONFIG_HOME: '/xdg', CODEX_HOME: '/codex', CLAUDE_CONFIG_DIR: '/claude' };
    expect(clientFile(client('zed'), { ...linux, env })).toBe('/xdg/zed/settings.json');
    expect(clientFile(client('codex'), { ...linux, env })).toBe('/codex/config.toml');
    expect(clientFile(client('claude-code'), { ...mac, env })).toBe('/claude/.claude.json');
  });

  it('is the packaged one on Windows where Claude Desktop was installed as a package', () => {
    const packaged =
      'C:\\Users\\Ada\\AppData\\Local\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude';
    const exists = (folder: string) => folder === packaged;
    expect(clientFile(client('claude-desktop'), { ...windows, exists })).toBe(
      `${packaged}\\claude_desktop_config.json`,
    );
  });
});
