/** One merged view of environment and settings file, which remembers where a value stands. */

import { ConfigError } from '../base/errors.ts';
import { isPlaceholder } from '../base/keys/key-values.ts';
import { type Environment, presentValue } from './environment.ts';

/** Where a value stands, so that an error can name the place and the store can check its mode. */
export interface Origin {
  /** The variable's name. */
  readonly variable: string;
  /** The file that set it; null when the process environment did. */
  readonly file: string | null;
}

interface Range {
  readonly what: string;
  readonly least: number;
  readonly most: number;
}

const TIME: Range = { what: 'milliseconds', least: 1_000, most: 3_600_000 };

/** Not by zod, which nothing else needs before the first answer: it would be a fifth of the start. */
const NUMBERS = {
  KEYPOOL_MAX_CONCURRENT: { what: 'a whole number', least: 1, most: 10_000 },
  KEYPOOL_CALL_TIMEOUT_MS: TIME,
  KEYPOOL_IDLE_TIMEOUT_MS: TIME,
} as const satisfies Readonly<Record<string, Range>>;

export class Settings {
  readonly #env: Environment;
  readonly #file: Environment;
  readonly #path: string;

  constructor(env: Environment, file: Environment, path: string) {
    this.#env = env;
    this.#file = file;
    this.#path = path;
  }

  get(variable: string): string | undefined {
    return presentValue(this.#env[variable]) ?? presentValue(this.#file[variable]);
  }

  /** As `get`; an example such as `sk-...` in one place does not hide the key in the other. */
  key(variable: string): string | undefined {
    const isKey = (raw: string | undefined): boolean => !isPlaceholder(raw?.trim() ?? '');
    return [this.#env[variable], this.#file[variable]].find(isKey)?.trim();
  }

  origin(variable: string): Origin {
    const fromEnvironment = presentValue(this.#env[variable]) !== undefined;
    return { variable, file: fromEnvironment ? null : this.#path };
  }

  names(): string[] {
    return [...new Set([...Object.keys(this.#env), ...Object.keys(this.#file)])];
  }

  number(variable: keyof typeof NUMBERS, fallback: number): number {
    const raw = this.get(variable);
    if (raw === undefined) return fallback;
    const { what, least, most } = NUMBERS[variable];
    const number = Number(raw);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new ConfigError(`${variable} has to be ${what} from ${least} to ${most}`, {
      hint: `correct it or leave it out; the default is ${fallback}`,
    });
  }

  /** A switch that is as `unsaid` unless somebody turned it. */
  isOn(variable: string, unsaid: 'on' | 'off' = 'on'): boolean {
    const word = this.get(variable)?.toLowerCase() ?? unsaid;
    if (['on', 'true', '1', 'yes'].includes(word)) return true;
    if (['off', 'false', '0', 'no'].includes(word)) return false;
    throw new ConfigError(`${variable} has to be on or off`, {
      hint: `correct it or leave it out; the default is ${unsaid}`,
    });
  }
}
