#!/usr/bin/env node
/**
 * argv → command → exit code. Each command is imported when it is called, so that a server is
 * not slowed by what it does not use. The only place that ends the process.
 */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import {
  BudgetError,
  CommandError,
  ConfigError,
  DiskError,
  isAbort,
  KeyStoreError,
  type KeyStoreErrorCode,
  PoolExhaustedError,
  UpstreamError,
} from './base/errors.ts';
import { systemCode } from './base/system-error.ts';
import { NAME, VERSION } from './base/version.ts';
import { COMMANDS, type Entry } from './commands/catalog.ts';
import { type CommandOptions, print, tell } from './commands/command.ts';
import { commandHelp, GLOBAL_OPTIONS, programHelp } from './commands/help.ts';
import { type Environment, type GlobalFlags, takeEnvironment } from './config.ts';

/** The command words at the front of argv: `keys add`, `serve`, or none, which means `serve`. */
function commandName(words: readonly string[]): { name: string; length: number } {
  const two = words.slice(0, 2).join(' ');
  if (Object.hasOwn(COMMANDS, two)) return { name: two, length: 2 };
  const [one] = words;
  if (one === undefined) return { name: 'serve', length: 0 };
  if (Object.hasOwn(COMMANDS, one)) return { name: one, length: 1 };
  // The word is not repeated: it may be a key that landed in the wrong place.
  const group = commandGroup([one]) ?? [];
  throw new ConfigError(group.length > 0 ? `${one} needs a subcommand` : 'unknown command', {
    hint: `${group.length > 0 ? `one of: ${group.join(', ')}; ` : ''}see ${NAME} --help`,
  });
}

/** The commands that these words may mean: all for none, those of `keys` for `keys`; else null. */
function commandGroup(words: readonly string[]): string[] | null {
  const names = Object.keys(COMMANDS);
  if (words.length === 0) return names;
  const group = names.filter((name) => name.startsWith(`${words[0]} `));
  return words.length === 1 && group.length > 0 ? group : null;
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
    const message =
      systemCode(cause) === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
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
  if (Object.values(flags).includes('')) {
    throw new ConfigError('a flag is empty', { hint: 'give it a value, or leave it out' });
  }
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

/** `help keys add` asks for what `keys add --help` does. */
function withoutHelpWord(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

async function main(args: readonly string[], env: Environment): Promise<number> {
  const argv = withoutHelpWord(args);
  const words = leadingWords(argv);
  const group = commandGroup(words);
  if (group !== null && argv.some((word) => word === '--help' || word === '-h')) {
    print(programHelp(group));
    return 0;
  }
  if (words.length === 0 && argv.some((word) => word === '--version' || word === '-V')) {
    print(VERSION);
    return 0;
  }
  const { name, length } = commandName(words);
  const entry = COMMANDS[name];
  if (entry === undefined) throw new ConfigError('unknown command', { hint: `see ${NAME} --help` });
  const { command } = await entry.load();
  const { values, positionals } = parseFlags(argv, entry, command.options);
  if (values.help === true) {
    print(commandHelp(entry, command));
    return 0;
  }
  if (values.version === true) {
    print(VERSION);
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
    env,
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
    error instanceof BudgetError ||
    error instanceof KeyStoreError ||
    error instanceof CommandError ||
    error instanceof DiskError ||
    error instanceof UpstreamError ||
    error instanceof PoolExhaustedError;
  if (isOurs) {
    tell(`${NAME}: error: ${error.message}`);
    if (error.hint !== '') tell(`${NAME}: hint: ${error.hint}`);
    return;
  }
  // The message may quote anything, a key included; where it happened does not.
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  const stack = lines.filter((line) => /^\s+at /.test(line)).join('\n');
  tell(`${NAME}: error: internal error ${crypto.randomUUID()}`);
  tell(`${NAME}: hint: please report it with these lines\n${stack}`);
}

/** A reader that left early (`| head`) is no error of ours; a full disk is. */
function outputFailed(error: Error): never {
  const code = systemCode(error);
  if (code === 'EPIPE') process.exit(0);
  report(
    new CommandError(`the output cannot be written (${code})`, {
      hint: 'is the disk full? what was printed is not whole',
    }),
  );
  process.exit(1);
}

process.stdout.on('error', outputFailed);

// Nor is one that does not want the messages: what was asked for is still done.
process.stderr.on('error', () => {});

// By default node opens its inspector, to everybody on this machine who may send the signal; from
// the first moment on, before a server says in its log that it does not.
process.on('SIGUSR1', () => {});

let code: number;
try {
  code = await main(process.argv.slice(2), takeEnvironment());
} catch (error) {
  report(error);
  code = exitCode(error);
}
// What is still open (sockets kept alive, a watcher) must not keep the process; what was printed
// must be out first.
process.stdout.write('', (error) => {
  if (error instanceof Error) outputFailed(error);
  process.exit(code);
});
