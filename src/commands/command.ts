/** What a command is. `cli.ts` parses argv, prints help and turns errors into exit codes. */

import type { ParseArgsConfig } from 'node:util';
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

/** Results go to stdout, everything a person is told on the way to stderr. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
