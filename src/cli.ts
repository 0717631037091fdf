#!/usr/bin/env node
/**
 * argv → command → exit code. Each command is imported when it is called, so that a server is
 * not slowed by what it does not use. The only place that ends the process.
 */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Command, CommandOptions } from './commands/command.ts';
import type { GlobalFlags } from './config.ts';
import {
  CommandError,
  ConfigError,
  isAbort,
  KeyStoreError,
  type KeyStoreErrorCode,
  PoolExhaustedError,
  UpstreamError,
} from './errors.ts';
import { NAME, VERSION } from './version.ts';

interface Entry {
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    usage: 'serve [--http [--host ADDRESS] [--port NUMBER]]',
    summary: 'MCP server on stdio (also what runs without a command), or over HTTP',
    load: () => import('./commands/serve.ts'),
  },
  dashboard: {
    usage: 'dashboard [--port NUMBER] [--no-open]',
    summary: 'the page to see and manage keys; serves it where no server runs',
    load: () => import('./commands/dashboard.ts'),
  },
  demo: {
    usage: 'demo [--json]',
    summary: 'the main job, seen working; no key, no network',
    load: () => import('./commands/demo.ts'),
  },
  init: {
    usage: 'init',
    summary: 'make the home folder, a master key and an empty key store',
    load: () => import('./commands/init.ts'),
  },
  'keys add': {
    usage: 'keys add NAME [--account LABEL]',
    summary: 'add or replace a key; the value comes from a hidden prompt or stdin',
    load: () => import('./commands/keys-add.ts'),
  },
  'keys import': {
    usage: 'keys import FILE [--dry-run]',
    summary: 'add the keys of a .env, JSON or text file',
    load: () => import('./commands/keys-import.ts'),
  },
  'keys list': {
    usage: 'keys list [--json]',
    summary: 'names and key ids, never a value',
    load: () => import('./commands/keys-list.ts'),
  },
  'keys remove': {
    usage: 'keys remove NAME',
    summary: 'take a key out of the store',
    load: () => import('./commands/keys-remove.ts'),
  },
  'keys verify': {
    usage: 'keys verify [NAME] [--json]',
    summary: 'ask the providers whether the keys work',
    load: () => import('./commands/keys-verify.ts'),
  },
  'keys rotate-master': {
    usage: 'keys rotate-master',
    summary: 'a new master key for every store of the home folder',
    load: () => import('./commands/keys-rotate-master.ts'),
  },
  'keys migrate': {
    usage: 'keys migrate',
    summary: 'rewrite a legacy Fernet file as a v2 store',
    load: () => import('./commands/keys-migrate.ts'),
  },
  'keys export': {
    usage: 'keys export --format fernet [--out FILE]',
    summary: 'the keys as a flat Fernet file for other programs',
    load: () => import('./commands/keys-export.ts'),
  },
  doctor: {
    usage: 'doctor [--json]',
    summary: 'find what keeps this program from working',
    load: () => import('./commands/doctor.ts'),
  },
  batch: {
    usage: 'batch FILE.jsonl --out OUT.jsonl',
    summary: 'run a file of tasks through the whole pool, resumable',
    load: () => import('./commands/batch.ts'),
  },
  install: {
    usage: 'install CLIENT [--print]',
    summary: "enter this server into an AI client's own file",
    load: () => import('./commands/install.ts'),
  },
  uninstall: {
    usage: 'uninstall CLIENT',
    summary: 'take it out again',
    load: () => import('./commands/uninstall.ts'),
  },
};

const GLOBAL_OPTIONS = {
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

/** The command words at the front of argv: `keys add`, `serve`, or none, which means `serve`. */
function commandName(words: readonly string[]): { name: string; length: number } {
  const two = words.slice(0, 2).join(' ');
  if (Object.hasOwn(COMMANDS, two)) return { name: two, length: 2 };
  const [one] = words;
  if (one === undefined) return { name: 'serve', length: 0 };
  if (Object.hasOwn(COMMANDS, one)) return { name: one, length: 1 };
  // The word is not repeated: it may be a key that landed in the wrong place.
  const group = Object.keys(COMMANDS).filter((name) => name.startsWith(`${one} `));
  throw new ConfigError(group.length > 0 ? `${one} needs a subcommand` : 'unknown command', {
    hint: `${group.length > 0 ? `one of: ${group.join(', ')}; ` : ''}see ${NAME} --help`,
  });
}

/** Positionals before any flag is known, to find the command and with it the options. */
function leadingWords(argv: readonly string[]): string[] {
  const { tokens } = parseArgs({
    args: [...argv],
    options: GLOBAL_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.filter((token) => token.kind === 'positional').map((token) => token.value);
}

function programHelp(): string {
  const width = Math.max(...Object.values(COMMANDS).map((entry) => entry.usage.length)) + 2;
  const rows = Object.values(COMMANDS).map(
    (entry) => `  ${entry.usage.padEnd(width)}${entry.summary}`,
  );
  return `${NAME} ${VERSION}
DeepSeek code generation and Perplexity search for AI assistants, over an encrypted pool of API keys.

Usage: ${NAME} [command] [flags]

Commands:
${rows.join('\n')}

${GLOBAL_HELP}

${NAME} COMMAND --help tells more about one command.`;
}

function commandHelp(entry: Entry, command: Command): string {
  return `Usage: ${NAME} ${entry.usage}\n\n${command.help.trim()}\n\n${GLOBAL_HELP}`;
}

function parseFlags(argv: readonly string[], entry: Entry, options: CommandOptions) {
  try {
    const config = {
      args: [...argv],
      options: { ...options, ...GLOBAL_OPTIONS },
      strict: true,
      allowPositionals: true,
      allowNegative: true,
    } satisfies ParseArgsConfig;
    return parseArgs(config);
  } catch (cause) {
    // parseArgs quotes the argument, which may be a key: our words instead of its.
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    const message =
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
        ? 'unknown flag'
        : 'a flag has no value, or one it does not take';
    throw new ConfigError(message, { hint: `usage: ${NAME} ${entry.usage}` });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function globalFlags(values: Readonly<Record<string, unknown>>): GlobalFlags {
  const flags = {
    home: text(values.home),
    store: text(values.store),
    dotenv: text(values.dotenv),
    environment: text(values.environment),
    logLevel: text(values['log-level']),
  };
  for (const [name, value] of Object.entries(flags)) {
    if (value === '') throw new ConfigError(`--${name} is empty`, { hint: 'give it a value' });
  }
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

async function main(argv: readonly string[]): Promise<number> {
  const words = leadingWords(argv);
  if (words.length === 0 && argv.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${programHelp()}\n`);
    return 0;
  }
  if (words.length === 0 && argv.some((word) => word === '--version' || word === '-V')) {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const { name, length } = commandName(words);
  const entry = COMMANDS[name];
  if (entry === undefined) throw new ConfigError('unknown command', { hint: `see ${NAME} --help` });
  const { command } = await entry.load();
  const { values, positionals } = parseFlags(argv, entry, command.options);
  if (values.help === true) {
    process.stdout.write(`${commandHelp(entry, command)}\n`);
    return 0;
  }
  if (values.version === true) {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const rest = positionals.slice(length);
  const [fewest, most] = command.positionals;
  if (rest.length < fewest || rest.length > most) {
    throw new ConfigError(rest.length < fewest ? 'an argument is missing' : 'too many arguments', {
      hint: `usage: ${NAME} ${entry.usage}`,
    });
  }
  return command.run({
    positionals: rest,
    values,
    flags: globalFlags(values),
    // biome-ignore lint/style/noProcessEnv: handed on whole; config.ts is who reads it
    env: process.env,
  });
}

/** A bad argument is a matter of usage, and a name that is not there is a request that failed. */
const STORE_ERROR_CODES: Partial<Record<KeyStoreErrorCode, number>> = {
  invalid_name: 2,
  invalid_value: 2,
  unknown_name: 1,
};

function exitCode(error: unknown): number {
  if (error instanceof ConfigError) return 2;
  if (error instanceof KeyStoreError) return STORE_ERROR_CODES[error.code] ?? 3;
  return isAbort(error) ? 130 : 1;
}

/** Two lines on stderr. A bug shows an id and its stack, never its message alone. */
function report(error: unknown): void {
  if (isAbort(error)) return;
  const isOurs =
    error instanceof ConfigError ||
    error instanceof KeyStoreError ||
    error instanceof CommandError ||
    error instanceof UpstreamError ||
    error instanceof PoolExhaustedError;
  if (isOurs) {
    process.stderr.write(`${NAME}: error: ${error.message}\n`);
    if (error.hint !== '') process.stderr.write(`${NAME}: hint: ${error.hint}\n`);
    return;
  }
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1).join('\n') : '';
  process.stderr.write(`${NAME}: error: internal error ${crypto.randomUUID()}\n`);
  process.stderr.write(`${NAME}: hint: please report it with these lines\n${stack}\n`);
}

// A reader that left early (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Nor is one that does not want the messages: what was asked for is still done.
process.stderr.on('error', () => {});

let code: number;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  report(error);
  code = exitCode(error);
}
// What is still open (sockets kept alive, a watcher) must not keep the process; what was printed
// must be out first.
process.stdout.write('', () => process.exit(code));
