/** The clients that can be tried here: what npm calls them, and how each is asked what it sees. */

import { join } from 'node:path';

/** What a client is told of its surroundings. */
export interface Place {
  /** The user's home folder. */
  readonly home: string;
  /** The folder that the client is started in. */
  readonly project: string;
  /** The scripted model. */
  readonly model: string;
}

export interface LiveClient {
  /** As `keypool-mcp install` knows it. */
  readonly id: string;
  readonly title: string;
  readonly package: string;
  readonly version: string;
  /** Below node_modules; a script, which needs Node 22, or a program. */
  readonly program: string;
  readonly isScript: boolean;
  /** Settings that a person would have made before: file below the home folder → its content. */
  readonly settings: (place: Place) => Readonly<Record<string, object>>;
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** Whether `mcp list` connects, or only shows the entry. */
  readonly listConnects: boolean;
  /** Arguments that make one call of a prompt; null for a client whose model cannot be scripted. */
  readonly ask: ((prompt: string) => readonly string[]) | null;
}

const NONE = (): Readonly<Record<string, never>> => ({});
const openAi = ({ model }: Place) => ({
  OPENAI_BASE_URL: `${model}/v1`,
  OPENAI_API_KEY: 'not-a-key',
  OPENAI_MODEL: 'scripted',
});

export const LIVE_CLIENTS: readonly LiveClient[] = [
  {
    id: 'claude-code',
    title: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    version: '2.1.332',
    program: join('@anthropic-ai', 'claude-code-linux-x64', 'claude'),
    isScript: false,
    settings: NONE,
    env: ({ model }) => ({
      ANTHROPIC_BASE_URL: model,
      ANTHROPIC_API_KEY: 'not-a-key',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      // All tools at once, instead of behind a search.
      ENABLE_TOOL_SEARCH: 'false',
      // It refuses to pass over its questions as root, but in a sandbox.
      IS_SANDBOX: '1',
    }),
    listConnects: true,
    ask: (prompt) => ['-p', prompt, '--dangerously-skip-permissions'],
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    package: '@google/gemini-cli',
    version: '0.61.0',
    program: join('@google', 'gemini-cli', 'bundle', 'gemini.js'),
    isScript: true,
    settings: ({ project }) => ({
      '.gemini/trustedFolders.json': { [project]: 'TRUST_FOLDER' },
    }),
    env: NONE,
    listConnects: true,
    ask: null,
  },
  {
    id: 'qwen',
    title: 'Qwen Code',
    package: '@qwen-code/qwen-code',
    version: '0.24.4',
    program: join('@qwen-code', 'qwen-code', 'cli-entry.js'),
    isScript: true,
    settings: ({ project }) => ({
      '.qwen/trustedFolders.json': { [project]: 'TRUST_FOLDER' },
      '.qwen/settings.json': {
        security: { auth: { selectedType: 'openai' } },
        tools: { toolSearch: { enabled: false } },
      },
    }),
    env: openAi,
    listConnects: true,
    ask: (prompt) => ['-p', prompt, '--yolo'],
  },
  {
    id: 'opencode',
    title: 'opencode',
    package: 'opencode-ai',
    version: '1.18.33',
    program: join('opencode-linux-x64', 'bin', 'opencode'),
    isScript: false,
    settings: ({ model }) => ({
      '.config/opencode/opencode.json': {
        provider: {
          scripted: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${model}/v1`, apiKey: 'not-a-key' },
            models: { scripted: {} },
          },
        },
        model: 'scripted/scripted',
        autoupdate: false,
      },
    }),
    env: NONE,
    listConnects: true,
    ask: (prompt) => ['run', prompt],
  },
  {
    id: 'codex',
    title: 'Codex',
    package: '@openai/codex',
    version: '0.171.0',
    program: join('@openai', 'codex', 'bin', 'codex.js'),
    isScript: true,
    settings: NONE,
    env: NONE,
    listConnects: false,
    ask: null,
  },
  {
    id: 'copilot',
    title: 'Copilot CLI',
    package: '@github/copilot',
    version: '1.0.102',
    program: join('@github', 'copilot', 'npm-loader.js'),
    isScript: true,
    settings: NONE,
    env: NONE,
    listConnects: false,
    ask: null,
  },
];
