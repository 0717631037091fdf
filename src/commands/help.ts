/** The flags that every command takes, and what --help prints. */

import { NAME, VERSION } from '../base/version.ts';
import { COMMANDS, type Entry } from './catalog.ts';
import type { Command, CommandOptions } from './command.ts';

export const GLOBAL_OPTIONS = {
  home: { type: 'string' },
  store: { type: 'string' },
  dotenv: { type: 'string' },
  environment: { type: 'string' },
  'log-level': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const satisfies CommandOptions;

const GLOBAL_HELP = `Global flags:
  --home DIR           the folder of this program (KEYPOOL_HOME)
  --store FILE         the key store (KEYPOOL_STORE)
  --dotenv FILE        the settings file instead of DIR/.env
  --environment NAME   use the store of this environment (KEYPOOL_ENVIRONMENT)
  --log-level LEVEL    debug, info, warn, error or silent (KEYPOOL_LOG_LEVEL)
  -h, --help           show this help
  -V, --version        show the version`;

/** @param names the commands to list */
export function programHelp(names: readonly string[]): string {
  const entries = names.flatMap((name) => COMMANDS[name] ?? []);
  const width = Math.max(...entries.map((entry) => entry.usage.length)) + 2;
  const rows = entries.map((entry) => `  ${entry.usage.padEnd(width)}${entry.summary}`);
  return `${NAME} ${VERSION}
DeepSeek code generation and Perplexity search for AI assistants, over an encrypted pool of API keys.

Usage: ${NAME} [command] [flags]

Commands:
${rows.join('\n')}

${GLOBAL_HELP}

${NAME} COMMAND --help tells more about one command.`;
}

export function commandHelp(entry: Entry, command: Command): string {
  return `Usage: ${NAME} ${entry.usage}\n\n${command.help.trim()}\n\n${GLOBAL_HELP}`;
}
