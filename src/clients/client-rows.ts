/**
 * The MCP clients this program can enter itself into. `install`, `uninstall`, `doctor`,
 * docs/clients.md and the packaging script all read this one table.
 */

import type { Client } from './client.ts';

const everywhere = (...files: readonly string[]): Client['files'] => ({
  linux: files,
  darwin: files,
  win32: files.map((file) => file.replaceAll('/', '\\')),
});

const WINDSURF = '~/.codeium/windsurf/mcp_config.json';

const clineFiles = (vscode: string): string[] => {
  const own = '~/.cline/data/settings/cline_mcp_settings.json';
  const older = `${vscode}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`;
  return [own, older, own];
};

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
    overrides: [{ variable: 'CLAUDE_CONFIG_DIR', file: '.claude.json' }],
    project: '.mcp.json',
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
    project: '.vscode/mcp.json',
    extra: { type: 'stdio' },
    next: 'run "MCP: List Servers" in VS Code and start the server',
  },
  {
    id: 'cursor',
    title: 'Cursor',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.cursor/mcp.json'),
    project: '.cursor/mcp.json',
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
    project: '.zed/settings.json',
    extra: {},
    timeout: { field: 'timeout', unit: 's' },
    next: 'Zed reads its settings at once; the Agent panel shows the server',
  },
  {
    id: 'windsurf',
    title: 'Windsurf',
    format: 'json',
    root: 'mcpServers',
    // Windsurf became Devin Desktop, which reads a file of its own.
    files: {
      linux: ['~/.config/devin/mcp_config.json', WINDSURF],
      darwin: ['~/.config/devin/mcp_config.json', WINDSURF],
      win32: ['%APPDATA%\\devin\\mcp_config.json', WINDSURF.replaceAll('/', '\\')],
    },
    extra: {},
    next: 'press Refresh in Windsurf, Cascade, MCP servers',
  },
  {
    id: 'codex',
    title: 'Codex',
    format: 'toml',
    root: 'mcp_servers',
    files: everywhere('~/.codex/config.toml'),
    overrides: [{ variable: 'CODEX_HOME', file: 'config.toml' }],
    project: '.codex/config.toml',
    extra: {},
    timeout: { field: 'tool_timeout_sec', unit: 's' },
    next: 'start a new Codex session; /mcp shows the server',
  },
  {
    id: 'devin',
    title: 'Devin',
    format: 'json',
    root: 'mcpServers',
    files: {
      linux: ['~/.config/devin/mcp_config.json'],
      darwin: ['~/.config/devin/mcp_config.json'],
      win32: ['%APPDATA%\\devin\\mcp_config.json'],
    },
    project: '.devin/mcp_config.json',
    extra: {},
    next: 'start Devin again',
  },
  {
    id: 'copilot',
    title: 'GitHub Copilot CLI',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.copilot/mcp-config.json'),
    overrides: [{ variable: 'COPILOT_HOME', file: 'mcp-config.json' }],
    project: '.github/mcp.json',
    // Its reference wants both; without `tools` none is offered.
    extra: { type: 'local', tools: ['*'] },
    timeout: { field: 'timeout', unit: 'ms' },
    next: 'start a new copilot session; /mcp show lists the server',
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.gemini/settings.json'),
    overrides: [{ variable: 'GEMINI_CLI_HOME', file: '.gemini/settings.json' }],
    project: '.gemini/settings.json',
    // Its own limit is ten minutes, and its schema is closed.
    extra: {},
    next: 'start gemini again; /mcp lists the server',
  },
  {
    id: 'qwen',
    title: 'Qwen Code',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.qwen/settings.json'),
    project: '.qwen/settings.json',
    extra: {},
    next: 'start qwen again; /mcp lists the server',
  },
  {
    id: 'antigravity',
    title: 'Antigravity',
    format: 'json',
    root: 'mcpServers',
    // The folder of today, the one of older versions where only that is there.
    files: everywhere(
      '~/.gemini/config/mcp_config.json',
      '~/.gemini/antigravity/mcp_config.json',
      '~/.gemini/config/mcp_config.json',
    ),
    project: '.agents/mcp_config.json',
    extra: {},
    next: 'open Manage MCP Servers in Antigravity and press Refresh',
  },
  {
    id: 'kiro',
    title: 'Kiro',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.kiro/settings/mcp.json'),
    project: '.kiro/settings/mcp.json',
    extra: {},
    next: 'Kiro reads its file at once; the MCP Servers panel shows the server',
  },
  {
    id: 'lmstudio',
    title: 'LM Studio',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.cache/lm-studio/mcp.json', '~/.lmstudio/mcp.json'),
    pointer: { file: '~/.lmstudio-home-pointer', name: 'mcp.json' },
    extra: {},
    next: 'switch the server on in LM Studio, Program, Integrations',
  },
  {
    id: 'warp',
    title: 'Warp',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.warp/.mcp.json'),
    project: '.warp/.mcp.json',
    extra: {},
    next: 'open Warp, Settings, MCP servers and start the server',
  },
  {
    id: 'cline',
    title: 'Cline',
    format: 'json',
    root: 'mcpServers',
    // Extension and command line share this file since version 4; what stood in VS Code's folder
    // is imported once and then ignored, so that it is written only where nothing newer is.
    files: {
      linux: clineFiles('$XDG_CONFIG_HOME/Code/User'),
      darwin: clineFiles('~/Library/Application Support/Code/User'),
      win32: clineFiles('%APPDATA%/Code/User').map((file) => file.replaceAll('/', '\\')),
    },
    overrides: [
      { variable: 'CLINE_MCP_SETTINGS_PATH' },
      { variable: 'CLINE_DATA_DIR', file: 'settings/cline_mcp_settings.json' },
      { variable: 'CLINE_DIR', file: 'data/settings/cline_mcp_settings.json' },
    ],
    extra: {},
    timeout: { field: 'timeout', unit: 's' },
    next: 'Cline reads its file at once; its MCP Servers panel shows the server',
  },
  {
    id: 'opencode',
    title: 'opencode',
    format: 'json',
    root: 'mcp',
    shape: 'list',
    files: everywhere('~/.config/opencode/opencode.json', '~/.config/opencode/opencode.jsonc'),
    project: 'opencode.json',
    otherVersion: 'servers',
    extra: { type: 'local', enabled: true },
    timeout: { field: 'timeout', unit: 'ms' },
    next: 'start opencode again',
  },
  {
    id: 'kilo',
    title: 'Kilo Code',
    format: 'json',
    root: 'mcp',
    shape: 'list',
    files: everywhere('~/.config/kilo/kilo.jsonc', '~/.config/kilo/kilo.json'),
    project: 'kilo.json',
    extra: { type: 'local', enabled: true },
    timeout: { field: 'timeout', unit: 'ms' },
    next: 'start Kilo Code again',
  },
  {
    id: 'amp',
    title: 'Amp',
    format: 'json',
    root: 'amp.mcpServers',
    files: everywhere('~/.config/amp/settings.json', '~/.config/amp/settings.jsonc'),
    project: '.amp/settings.json',
    extra: {},
    next: 'start amp again; the servers of a project have to be approved: amp mcp approve',
  },
  {
    id: 'goose',
    title: 'Goose',
    format: 'yaml',
    root: 'extensions',
    shape: 'goose',
    files: {
      linux: ['$XDG_CONFIG_HOME/goose/config.yaml'],
      darwin: ['~/.config/goose/config.yaml'],
      win32: ['%APPDATA%\\Block\\goose\\config\\config.yaml'],
    },
    extra: {
      name: 'keypool-mcp',
      type: 'stdio',
      enabled: true,
      description: 'DeepSeek code generation and Perplexity search',
    },
    timeout: { field: 'timeout', unit: 's' },
    next: 'start a new Goose session',
  },
  {
    id: 'continue',
    title: 'Continue',
    format: 'json',
    root: 'mcpServers',
    // A file of one's own in this folder is read beside config.yaml, in the notation of others.
    files: everywhere('~/.continue/mcpServers/keypool-mcp.json'),
    project: '.continue/mcpServers/keypool-mcp.json',
    extra: {},
    next: 'reload the window of Continue; agent mode lists the server',
  },
  {
    id: 'crush',
    title: 'Crush',
    format: 'json',
    root: 'mcp',
    // Its new crushrc is a script that is executed; the JSON beside it is still read.
    files: everywhere('$XDG_CONFIG_HOME/crush/crush.json'),
    project: '.crush.json',
    extra: { type: 'stdio' },
    next: 'start crush again',
  },
  {
    id: 'junie',
    title: 'JetBrains Junie',
    format: 'json',
    root: 'mcpServers',
    files: everywhere('~/.junie/mcp/mcp.json'),
    project: '.junie/mcp/mcp.json',
    extra: {},
    next: 'open Settings, Tools, Junie, MCP Settings and switch the server on',
  },
];

export const CLIENT_IDS: readonly string[] = CLIENTS.map(({ id }) => id);
