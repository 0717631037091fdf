/** argv → the command that is meant, its flags and arguments; and what was probably meant. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ConfigError } from '../../base/errors.ts';
import { NAME } from '../../base/version.ts';
import type { Command, CommandOptions } from '../command.ts';
import { GLOBAL_OPTIONS } from './global-flags.ts';
import { usageLine } from './help.ts';
import { nearest } from './suggest.ts';

/** `-V` was the short form before `-v`; `help keys add` asks for what `keys add --help` does. */
export function normalized(args: readonly string[]): readonly string[] {
  const argv = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  const short = argv.map((word) => (word === '-V' ? '-v' : word));
  return short.length === 1 && short[0] === 'version' ? ['--version'] : short;
}

/** Positionals before any flag is known, to find the command and with it the options. */
export function leadingWords(argv: readonly string[]): string[] {
  const { tokens } = parseArgs({
    args: [...argv],
    options: GLOBAL_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.filter((token) => token.kind === 'positional').map((token) => token.value);
}

export interface FoundCommand {
  readonly name: string;
  /** How many words of argv are its name. */
  readonly length: number;
}

/**
 * The command words at the front of argv: `keys add`, `serve`, or none, which means `serve`.
 *
 * @throws ConfigError; the word is not repeated, since it may be a key in the wrong place
 */
export function findCommand(words: readonly string[], names: readonly string[]): FoundCommand {
  const [one, two] = words;
  if (one === undefined) return { name: 'serve', length: 0 };
  if (two !== undefined && names.includes(`${one} ${two}`)) {
    return { name: `${one} ${two}`, length: 2 };
  }
  if (names.includes(one)) return { name: one, length: 1 };
  const group = commandGroup([one], names) ?? [];
  const firsts = [...new Set(names.flatMap((name) => [name, name.split(' ')[0] ?? '']))];
  const whole = two === undefined ? null : nearest(`${one} ${two}`, names);
  const meant = whole ?? (group.length > 0 ? null : nearest(one, firsts));
  const suggestion = meant === null ? '' : `did you mean ${NAME} ${meant}? `;
  if (group.length > 0) {
    throw new ConfigError(
      `${one} needs ${two === undefined ? 'a subcommand' : 'another subcommand'}`,
      {
        hint:
          two === undefined || meant === null ? `one of: ${group.join(', ')}` : suggestion.trim(),
      },
    );
  }
  throw new ConfigError('unknown command', { hint: `${suggestion}see ${NAME} --help` });
}

/** The commands that these words may mean: all for none, those of `keys` for `keys`; else null. */
export function commandGroup(words: readonly string[], names: readonly string[]): string[] | null {
  if (words.length === 0) return [...names];
  const group = names.filter((name) => name.startsWith(`${words[0]} `));
  return words.length === 1 && group.length > 0 ? group : null;
}

/** The name of the flag that parseArgs did not know; the value behind it is not looked at. */
function unknownFlag(argv: readonly string[], options: CommandOptions): string | null {
  const typed = argv
    .filter((word) => word.startsWith('--') && word.length > 2)
    .map((word) => word.slice(2).split('=')[0] ?? '');
  const known = Object.keys(options);
  const unknown = typed.find((name) => !known.includes(name.replace(/^no-/, '')));
  return unknown === undefined ? null : nearest(unknown, known);
}

/** `-1/day`: no flag begins with a digit. */
const BELOW_NOTHING = /^-\d/;

export interface ParsedCommandLine {
  readonly values: Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>;
  /** Without the words of the command. */
  readonly positionals: readonly string[];
}

/** @throws ConfigError in our words: parseArgs quotes the argument, which may be a key */
export function parseCommand(
  argv: readonly string[],
  found: FoundCommand,
  command: Command,
): ParsedCommandLine {
  const options = { ...command.options, ...GLOBAL_OPTIONS };
  const usage = `usage: ${NAME} ${usageLine(found.name, command)}`;
  const config = {
    args: [...argv],
    options,
    strict: true,
    allowPositionals: true,
    allowNegative: true,
  } satisfies ParseArgsConfig;
  try {
    const { values, positionals } = parseArgs(config);
    return { values, positionals: positionals.slice(found.length) };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      throw new ConfigError('a flag has no value, or one it does not take', { hint: usage });
    }
    if (argv.some((word) => BELOW_NOTHING.test(word))) {
      throw new ConfigError('an amount cannot be below nothing', { hint: usage });
    }
    const meant = unknownFlag(argv, options);
    const hint = meant === null ? usage : `did you mean --${meant}? ${usage}`;
    throw new ConfigError('unknown flag', { hint });
  }
}

/** @throws ConfigError when an argument is missing or one too many is there */
export function checkArguments(name: string, command: Command, given: readonly string[]): void {
  const fewest = command.arguments.filter((each) => each.isOptional !== true).length;
  const isTooMany = given.length > command.arguments.length && command.takesMore !== true;
  if (given.length >= fewest && !isTooMany) return;
  throw new ConfigError(isTooMany ? 'too many arguments' : 'an argument is missing', {
    hint: `usage: ${NAME} ${usageLine(name, command)}`,
  });
}
