/** What a command is: parsing, help and completion come from this one definition. */

import { Redactor } from '../base/redact.ts';
import type { Environment, GlobalFlags } from '../config.ts';

/** A flag of the command line, in the form that node:util parseArgs takes, and what it is for. */
export interface Flag {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** It may be given again; its values come as a list. */
  readonly multiple?: boolean;
  /** What stands for the value in help, such as FILE; for a flag that takes one. */
  readonly value?: string;
  /** One line of help, without a period. */
  readonly about: string;
  /** The values that it takes, where they are few. */
  readonly choices?: readonly string[];
  /** It is on, and is given as `--no-NAME`. */
  readonly isNegative?: boolean;
  /** The command does not run without it. */
  readonly isRequired?: boolean;
}

export type CommandOptions = Readonly<Record<string, Flag>>;

export interface Argument {
  /** In capitals, as help shows it. */
  readonly name: string;
  readonly isOptional?: boolean;
  readonly choices?: readonly string[];
  /** It is a path, which the shell completes itself. */
  readonly isFile?: boolean;
}

export interface CommandInput {
  readonly positionals: readonly string[];
  /** Values of the command's own options. */
  readonly values: Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>;
  readonly flags: GlobalFlags;
  readonly env: Environment;
  /** All commands by name, for what speaks about the others. */
  readonly commands: Readonly<Record<string, CatalogEntry>>;
}

export interface Command {
  /** What --help says beside usage and flags; paragraphs are separated by empty lines. */
  readonly help: string;
  /** Own flags by name; the global ones are in `command-line/global-flags.ts`. */
  readonly options: CommandOptions;
  readonly arguments: readonly Argument[];
  /** Further arguments are handed on, for the command to refuse in its own words. */
  readonly takesMore?: boolean;
  /**
   * @returns the exit code
   * @throws ConfigError, KeyStoreError, CommandError
   */
  run(input: CommandInput): Promise<number>;
}

/** A command before it is loaded: what it does in a line, and where it is. */
export interface CatalogEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** What this process knows and must not show. There is one, as there is one stdout. */
export const secrets = new Redactor();

/** What a terminal obeys, all but line feeds and tabs: a label or a path may hold anything. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /\u001b\[[\d;]{0,16}m|(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A line for a person: without secrets, and without anything that a terminal obeys but colour. */
export function plainLine(line: string): string {
  const clean = secrets.redact(line);
  return `${clean.replace(CONTROLS, (found) => (found.length > 1 ? found : '\ufffd'))}\n`;
}

/** Results go to stdout, everything a person is told on the way to stderr. */
export function print(line: string): void {
  process.stdout.write(plainLine(line));
}

export function tell(line: string): void {
  process.stderr.write(plainLine(line));
}

/** For what its owner asked to see: the link to the page, a token that was just made. */
export function printSecret(line: string): void {
  process.stdout.write(`${line}\n`);
}
