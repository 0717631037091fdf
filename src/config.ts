/**
 * Flags over environment over the `.env` of the home folder over defaults, as one frozen Config.
 * The only reader of `process.env`. A `.env` in the working directory is never read: an editor's
 * working directory is somebody's repository.
 */

import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import * as z from 'zod/mini';
import { decodeText } from './base/decode-text.ts';
import {
  type EnvironmentKeys,
  environmentKeysOf,
  isPoolVariable,
} from './base/environment-keys.ts';
import { ConfigError, DiskError } from './base/errors.ts';
import { isPlaceholder, isUnset } from './base/key-values.ts';
import { LOG_LEVELS, type LogLevel } from './base/logger.ts';
import { readWholeFileSync } from './disk/read-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The global flags, as parsed from argv; absent when not given. */
export interface GlobalFlags {
  readonly home?: string;
  readonly store?: string;
  readonly dotenv?: string;
  readonly environment?: string;
  readonly logLevel?: string;
}

/** Where a value stands, so that an error can name the place and the store can check its mode. */
export interface Origin {
  /** The variable's name. */
  readonly variable: string;
  /** The file that set it; null when the process environment did. */
  readonly file: string | null;
}

/** What is configured as a master key; `secrets/master-key.ts` reads and judges it. */
export interface MasterKeySource {
  readonly value: (Origin & { readonly text: string }) | null;
  readonly file: (Origin & { readonly path: string }) | null;
}

export interface HttpTokenSource {
  readonly text: string | null;
  readonly file: string | null;
}

export interface ProxySettings {
  readonly httpProxy: string | null;
  readonly httpsProxy: string | null;
  readonly noProxy: string | null;
}

export interface Config {
  readonly home: string;
  /** The settings file that was looked for, whether it exists or not. */
  readonly dotenvPath: string;
  readonly storePath: string;
  /** True when somebody named the store or the environment: its absence is then an error. */
  readonly storeNamed: boolean;
  readonly environment: string | null;
  readonly masterKey: MasterKeySource;
  /** Pool keys that the environment gives; the store's entries of the same name come first. */
  readonly environmentKeys: EnvironmentKeys;
  readonly deepseekBaseUrl: string;
  readonly deepseekModel: string;
  readonly perplexityBaseUrl: string;
  /** Ceiling of calls in flight per account. */
  readonly maxConcurrent: number;
  readonly callTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Whether finished attempts are written down. */
  readonly ledger: boolean;
  readonly logLevel: LogLevel;
  readonly httpToken: HttpTokenSource;
  readonly proxy: ProxySettings;
}

const MAX_DOTENV_BYTES = 1024 * 1024;
const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
/** The value without surrounding white space; undefined when a client or a template left it open. */
export function presentValue(raw: string | undefined): string | undefined {
  const value = raw?.trim();
  return value === undefined || isUnset(value) ? undefined : value;
}

/** A flag was typed on purpose: only nothing at all counts as missing. */
function given(flag: string | undefined): string | undefined {
  const value = flag?.trim();
  return value === '' ? undefined : value;
}

/** The platform's configuration folder for this program. */
export function defaultHome(env: Environment): string {
  if (platform() === 'win32') {
    return join(presentValue(env.APPDATA) ?? join(homedir(), 'AppData', 'Roaming'), 'keypool-mcp');
  }
  if (platform() === 'darwin') {
    return join(homedir(), 'Library', 'Application Support', 'keypool-mcp');
  }
  return join(presentValue(env.XDG_CONFIG_HOME) ?? join(homedir(), '.config'), 'keypool-mcp');
}

function readDotenv(path: string, mustExist: boolean): Environment {
  try {
    const decoded = decodeText(readWholeFileSync(path, MAX_DOTENV_BYTES).bytes);
    if (decoded !== null) return parseDotenv(decoded.text);
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    if (cause.code === 'missing' && !mustExist) return {};
    const isMissing = cause.code === 'missing';
    const message = isMissing
      ? `the settings file ${path} does not exist`
      : `the settings file: ${cause.message}`;
    const hint = isMissing
      ? 'check the path given with --dotenv, or leave the flag out'
      : cause.hint;
    throw new ConfigError(message, { cause, hint });
  }
  throw new ConfigError(`the settings file ${path} is not a text`, {
    hint: 'write it as UTF-8: NAME=value, one in a line',
  });
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** https anywhere, http to loopback only; without user info, query or trailing slash. */
function baseUrl(variable: string, raw: string): string {
  const hint = `set ${variable} to an https address, or to http on 127.0.0.1 for a local upstream`;
  const url = URL.canParse(raw) ? new URL(raw) : null;
  if (url === null) throw new ConfigError(`${variable} is not a URL`, { hint });
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${variable} carries user info`, {
      hint: 'take the part before the @ out; keys belong into the key store',
    });
  }
  const isLoopback = LOOPBACK.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new ConfigError(`${variable} would send keys over an unprotected connection`, { hint });
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigError(`${variable} has a query or a fragment`, { hint });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

const milliseconds = z.coerce.number().check(z.int(), z.minimum(1_000), z.maximum(3_600_000));

const SETTINGS = {
  KEYPOOL_MAX_CONCURRENT: z.coerce.number().check(z.int(), z.minimum(1), z.maximum(10_000)),
  KEYPOOL_CALL_TIMEOUT_MS: milliseconds,
  KEYPOOL_IDLE_TIMEOUT_MS: milliseconds,
} as const;

const EXPECTED: Readonly<Record<keyof typeof SETTINGS, string>> = {
  KEYPOOL_MAX_CONCURRENT: 'a whole number from 1 to 10000',
  KEYPOOL_CALL_TIMEOUT_MS: 'milliseconds from 1000 to 3600000',
  KEYPOOL_IDLE_TIMEOUT_MS: 'milliseconds from 1000 to 3600000',
};

/** One merged view of environment and settings file, which remembers where a value stands. */
class Settings {
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

  number(variable: keyof typeof SETTINGS, fallback: number): number {
    const raw = this.get(variable);
    if (raw === undefined) return fallback;
    const parsed = SETTINGS[variable].safeParse(raw);
    if (parsed.success) return parsed.data;
    throw new ConfigError(`${variable} has to be ${EXPECTED[variable]}`, {
      hint: `correct it or leave it out; the default is ${fallback}`,
    });
  }
}

function isOn(variable: string, raw: string): boolean {
  const word = raw.toLowerCase();
  if (['on', 'true', '1', 'yes'].includes(word)) return true;
  if (['off', 'false', '0', 'no'].includes(word)) return false;
  throw new ConfigError(`${variable} has to be on or off`, {
    hint: 'correct it or leave it out; the default is on',
  });
}

function logLevel(raw: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === raw.toLowerCase());
  if (level !== undefined) return level;
  throw new ConfigError('the log level is unknown', {
    hint: `use one of ${LOG_LEVELS.join(', ')}`,
  });
}

function environmentName(raw: string): string {
  if (ENVIRONMENT_NAME.test(raw)) return raw;
  throw new ConfigError('the environment has no usable name', {
    hint: 'use letters, digits, - and _, for instance staging',
  });
}

interface StorePlace {
  readonly environment: string | null;
  readonly storePath: string;
  readonly storeNamed: boolean;
}

/** `--environment` outranks a `KEYPOOL_STORE` of the environment, as every flag does. */
function storePlace(flags: GlobalFlags, settings: Settings, home: string): StorePlace {
  const flagEnvironment = given(flags.environment);
  const rawEnvironment = flagEnvironment ?? settings.get('KEYPOOL_ENVIRONMENT');
  const environment = rawEnvironment === undefined ? null : environmentName(rawEnvironment);
  const named =
    given(flags.store) ??
    (flagEnvironment === undefined ? settings.get('KEYPOOL_STORE') : undefined);
  const fileName = environment === null ? 'store.json' : `store.${environment}.json`;
  return {
    environment,
    storePath: named === undefined ? join(home, fileName) : resolve(named),
    storeNamed: named !== undefined || environment !== null,
  };
}

function masterKeySource(settings: Settings): MasterKeySource {
  const text = settings.get('MASTER_ENCRYPTION_KEY');
  const path = settings.get('MASTER_ENCRYPTION_KEY_FILE');
  return {
    value: text === undefined ? null : { ...settings.origin('MASTER_ENCRYPTION_KEY'), text },
    file:
      path === undefined
        ? null
        : { ...settings.origin('MASTER_ENCRYPTION_KEY_FILE'), path: resolve(path) },
  };
}

function environmentKeys(settings: Settings): EnvironmentKeys {
  const values = settings.names().flatMap((name) => {
    const value = isPoolVariable(name) ? settings.key(name) : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return environmentKeysOf(new Map(values));
}

/**
 * Builds the configuration.
 *
 * @param flags global flags from argv
 * @param env the process environment, or a literal one in tests
 * @throws ConfigError naming the variable or flag, never its value
 */
export function loadConfig(flags: GlobalFlags = {}, env: Environment = process.env): Config {
  const home = resolve(given(flags.home) ?? presentValue(env.KEYPOOL_HOME) ?? defaultHome(env));
  const namedDotenv = given(flags.dotenv);
  const dotenvPath = namedDotenv === undefined ? join(home, '.env') : resolve(namedDotenv);
  const settings = new Settings(env, readDotenv(dotenvPath, namedDotenv !== undefined), dotenvPath);
  const proxy = (name: string): string | null =>
    presentValue(env[name.toLowerCase()]) ?? settings.get(name) ?? null;

  return Object.freeze({
    home,
    dotenvPath,
    ...storePlace(flags, settings, home),
    masterKey: masterKeySource(settings),
    environmentKeys: environmentKeys(settings),
    deepseekBaseUrl: baseUrl(
      'DEEPSEEK_BASE_URL',
      settings.get('DEEPSEEK_BASE_URL') ?? 'https://api.deepseek.com',
    ),
    deepseekModel: settings.get('DEEPSEEK_MODEL') ?? 'deepseek-flash',
    perplexityBaseUrl: baseUrl(
      'PERPLEXITY_BASE_URL',
      settings.get('PERPLEXITY_BASE_URL') ?? 'https://api.perplexity.ai',
    ),
    maxConcurrent: settings.number('KEYPOOL_MAX_CONCURRENT', 64),
    callTimeoutMs: settings.number('KEYPOOL_CALL_TIMEOUT_MS', 180_000),
    idleTimeoutMs: settings.number('KEYPOOL_IDLE_TIMEOUT_MS', 45_000),
    ledger: isOn('KEYPOOL_LEDGER', settings.get('KEYPOOL_LEDGER') ?? 'on'),
    logLevel: logLevel(given(flags.logLevel) ?? settings.get('KEYPOOL_LOG_LEVEL') ?? 'info'),
    httpToken: {
      text: settings.get('KEYPOOL_HTTP_TOKEN') ?? null,
      file: settings.get('KEYPOOL_HTTP_TOKEN_FILE') ?? null,
    },
    proxy: {
      httpProxy: proxy('HTTP_PROXY'),
      httpsProxy: proxy('HTTPS_PROXY'),
      noProxy: proxy('NO_PROXY'),
    },
  });
}
