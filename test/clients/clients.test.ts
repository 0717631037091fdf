import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.ts';
import { clientFile } from '../../src/clients/client-place.ts';
import { CLIENT_IDS, CLIENTS } from '../../src/clients/client-rows.ts';

function client(id: string): Client {
  const found = CLIENTS.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no client ${id}`);
  return found;
}

const nothing = () => false;
const linux = {
  platform: 'linux',
  home: '/home/ada',
  env: {},
  exists: nothing,
  read: () => null,
} as const;
const mac = {
  platform: 'darwin',
  home: '/Users/ada',
  env: {},
  exists: nothing,
  read: () => null,
} as const;
const windows = {
  platform: 'win32',
  home: 'C:\\Users\\Ada',
  env: { APPDATA: 'D:\\Roaming' },
  exists: nothing,
  read: () => null,
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
        [
          "devin",
          "/home/ada/.config/devin/mcp_config.json",
          "/Users/ada/.config/devin/mcp_config.json",
          "D:\\Roaming\\devin\\mcp_config.json",
        ],
        [
          "copilot",
          "/home/ada/.copilot/mcp-config.json",
          "/Users/ada/.copilot/mcp-config.json",
          "C:\\Users\\Ada\\.copilot\\mcp-config.json",
        ],
        [
          "gemini",
          "/home/ada/.gemini/settings.json",
          "/Users/ada/.gemini/settings.json",
          "C:\\Users\\Ada\\.gemini\\settings.json",
        ],
        [
          "qwen",
          "/home/ada/.qwen/settings.json",
          "/Users/ada/.qwen/settings.json",
          "C:\\Users\\Ada\\.qwen\\settings.json",
        ],
        [
          "antigravity",
          "/home/ada/.gemini/config/mcp_config.json",
          "/Users/ada/.gemini/config/mcp_config.json",
          "C:\\Users\\Ada\\.gemini\\config\\mcp_config.json",
        ],
        [
          "kiro",
          "/home/ada/.kiro/settings/mcp.json",
          "/Users/ada/.kiro/settings/mcp.json",
          "C:\\Users\\Ada\\.kiro\\settings\\mcp.json",
        ],
        [
          "lmstudio",
          "/home/ada/.lmstudio/mcp.json",
          "/Users/ada/.lmstudio/mcp.json",
          "C:\\Users\\Ada\\.lmstudio\\mcp.json",
        ],
        [
          "warp",
          "/home/ada/.warp/.mcp.json",
          "/Users/ada/.warp/.mcp.json",
          "C:\\Users\\Ada\\.warp\\.mcp.json",
        ],
        [
          "cline",
          "/home/ada/.cline/data/settings/cline_mcp_settings.json",
          "/Users/ada/.cline/data/settings/cline_mcp_settings.json",
          "C:\\Users\\Ada\\.cline\\data\\settings\\cline_mcp_settings.json",
        ],
        [
          "opencode",
          "/home/ada/.config/opencode/opencode.jsonc",
          "/Users/ada/.config/opencode/opencode.jsonc",
          "C:\\Users\\Ada\\.config\\opencode\\opencode.jsonc",
        ],
        [
          "kilo",
          "/home/ada/.config/kilo/kilo.json",
          "/Users/ada/.config/kilo/kilo.json",
          "C:\\Users\\Ada\\.config\\kilo\\kilo.json",
        ],
        [
          "amp",
          "/home/ada/.config/amp/settings.jsonc",
          "/Users/ada/.config/amp/settings.jsonc",
          "C:\\Users\\Ada\\.config\\amp\\settings.jsonc",
        ],
        [
          "goose",
          "/home/ada/.config/goose/config.yaml",
          "/Users/ada/.config/goose/config.yaml",
          "D:\\Roaming\\Block\\goose\\config\\config.yaml",
        ],
        [
          "continue",
          "/home/ada/.continue/mcpServers/keypool-mcp.json",
          "/Users/ada/.continue/mcpServers/keypool-mcp.json",
          "C:\\Users\\Ada\\.continue\\mcpServers\\keypool-mcp.json",
        ],
        [
          "crush",
          "/home/ada/.config/crush/crush.json",
          "/Users/ada/.config/crush/crush.json",
          "C:\\Users\\Ada\\.config\\crush\\crush.json",
        ],
        [
          "junie",
          "/home/ada/.junie/mcp/mcp.json",
          "/Users/ada/.junie/mcp/mcp.json",
          "C:\\Users\\Ada\\.junie\\mcp\\mcp.json",
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
