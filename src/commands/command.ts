/** What a command is. `cli.ts` parses argv, prints help and turns errors into exit codes. */

import type { ParseArgsConfig } from 'node:util';
import { Redactor } from '../base/redact.ts';
import type { Environment, GlobalFlags } from '../config.ts';

export type CommandOptions = NonNullable<ParseArgsConfig['options']>;

export interface CommandInput {
  readonly positionals: readonly string[];
  /** Values of the command's own options. */
  readonly values: Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>;
  readonly flags: GlobalFlags;
  readonly env: Environment;
}

export interface Command {
  /** Printed by --help, after the line "Usage: …"; global flags are added by `cli.ts`. */
  readonly help: string;
  /** Own options, in the form of node:util parseArgs. */
  readonly options: CommandOptions;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [number, number];
  /**
   * @returns the exit code
   * @throws ConfigError, KeyStoreError, CommandError
   */
  run(input: CommandInput): Promise<number>;
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
