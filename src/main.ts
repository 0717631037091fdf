/**
 * argv → command → exit code. Each command is imported when it is called, so that a server is
 * not slowed by what it does not use. The only place that ends the process.
 */

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
import { shortageOf, systemCode } from './base/system/system-error.ts';
import { NAME, VERSION } from './base/version.ts';
import { COMMANDS } from './commands/catalog.ts';
import { print, tell } from './commands/command.ts';
import { globalFlagsOf } from './commands/command-line/global-flags.ts';
import { commandHelp, programHelp } from './commands/command-line/help.ts';
import {
  checkArguments,
  commandGroup,
  findCommand,
  leadingWords,
  normalized,
  parseCommand,
} from './commands/command-line/parse.ts';
import { type Environment, takeEnvironment } from './config.ts';

/** A person at a terminal would wait for a prompt that never comes. */
function explainWaiting(): void {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return;
  tell(`This is an MCP server: it waits for a client on standard input. Ctrl-C leaves.
Let a client start it: ${NAME} install CLIENT. Everything else: ${NAME} --help.`);
}

async function main(args: readonly string[], env: Environment): Promise<number> {
  const argv = normalized(args);
  const names = Object.keys(COMMANDS);
  const words = leadingWords(argv);
  const group = commandGroup(words, names);
  if (group !== null && argv.some((word) => word === '--help' || word === '-h')) {
    print(programHelp(group, COMMANDS));
    return 0;
  }
  const found = findCommand(words, names);
  const entry = COMMANDS[found.name];
  if (entry === undefined) throw new ConfigError('unknown command', { hint: `see ${NAME} --help` });
  const { command } = await entry.load();
  const { values, positionals } = parseCommand(argv, found, command);
  if (values.help === true || values.version === true) {
    print(values.help === true ? commandHelp(found.name, command) : VERSION);
    return 0;
  }
  checkArguments(found.name, command, positionals);
  const flags = globalFlagsOf(values);
  if (Object.values(flags).includes('')) {
    throw new ConfigError('a flag is empty', { hint: 'give it a value, or leave it out' });
  }
  if (found.length === 0) explainWaiting();
  return command.run({
    positionals,
    values,
    flags,
    env,
    commands: COMMANDS,
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
  const shortage = shortageOf(error);
  if (shortage !== null) {
    tell(`${NAME}: error: ${shortage}`);
    tell(`${NAME}: hint: raise the limit or close other programs, and try again`);
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
