/**
 * Flags over environment over the `.env` of the home folder over defaults, as one frozen Config.
 * The only reader of `process.env`. A `.env` in the working directory is never read: an editor's
 * working directory is somebody's repository.
 */

import { join, resolve } from 'node:path';
import { ConfigError } from './base/errors.ts';
import {
  type EnvironmentKeys,
  environmentKeysOf,
  isPoolVariable,
} from './base/keys/environment-keys.ts';
import { LOG_LEVELS, type LogLevel } from './base/logger.ts';
import { isLoopback } from './base/loopback.ts';
import { trimEnd } from './base/text/trim.ts';
import { type ConfigWarning, foldersOf, folderWarnings, readDotenv } from './config/dotenv.ts';
import { type Environment, isSecretVariable, presentValue } from './config/environment.ts';
import { defaultHome, NO_HOME } from './config/home.ts';
import { type Origin, Settings } from './config/settings.ts';
import { type SharingSettings, sharingSettings } from './config/sharing-settings.ts';

export { type Environment, presentValue };

/** The global flags, as parsed from argv; absent when not given. */
export interface GlobalFlags {
  readonly home?: string;
  readonly store?: string;
  readonly dotenv?: string;
  readonly environment?: string;
  readonly logLevel?: string;
}

/** What is configured as a master key; `secrets/master-key.ts` reads and judges it. */
interface MasterKeySettings {
  readonly value: (Origin & { readonly text: string }) | null;
  readonly file: (Origin & { readonly path: string }) | null;
  readonly command: (Origin & { readonly line: string }) | null;
}

export interface HttpTokenSource {
  readonly text: string | null;
  readonly file: string | null;
}

interface ProxyVariables {
  readonly httpsProxy: string | null;
  readonly allProxy: string | null;
  readonly httpProxy: string | null;
  readonly noProxy: string | null;
}

export interface Config {
  /** Where nobody has a home, a folder that is never there. */
  readonly home: string;
  /** True when neither a flag nor a variable names one, and the user has none. */
  readonly isHomeless: boolean;
  /** What works and should not be left as it is. */
  readonly warnings: readonly ConfigWarning[];
  /** The settings file that was looked for, whether it exists or not. */
  readonly dotenvPath: string;
  readonly storePath: string;
  /** True when somebody named the store or the environment: its absence is then an error. */
  readonly storeNamed: boolean;
  readonly environment: string | null;
  readonly masterKey: MasterKeySettings;
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
  /** Whether limits are shared with other processes, and over what. */
  readonly sharing: SharingSettings;
  readonly logLevel: LogLevel;
  readonly httpToken: HttpTokenSource;
  readonly proxy: ProxyVariables;
  /** NODE_EXTRA_CA_CERTS; node itself has obeyed one of the environment, and of it alone. */
  readonly extraCaCerts: { readonly path: string; readonly isKnownToNode: boolean } | null;
}

const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
/** A flag was typed on purpose: only nothing at all counts as missing. */
function given(flag: string | undefined): string | undefined {
  const value = flag?.trim();
  return value === '' ? undefined : value;
}

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
  const isLocal = url.protocol === 'http:' && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) {
    throw new ConfigError(`${variable} would send keys over an unprotected connection`, { hint });
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigError(`${variable} has a query or a fragment`, { hint });
  }
  return `${url.origin}${trimEnd(url.pathname, '/')}`;
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

function masterKeySource(settings: Settings): MasterKeySettings {
  const text = settings.get('MASTER_ENCRYPTION_KEY');
  const path = settings.get('MASTER_ENCRYPTION_KEY_FILE');
  const line = settings.get('MASTER_ENCRYPTION_KEY_COMMAND');
  return {
    value: text === undefined ? null : { ...settings.origin('MASTER_ENCRYPTION_KEY'), text },
    file:
      path === undefined
        ? null
        : { ...settings.origin('MASTER_ENCRYPTION_KEY_FILE'), path: resolve(path) },
    command:
      line === undefined ? null : { ...settings.origin('MASTER_ENCRYPTION_KEY_COMMAND'), line },
  };
}

function extraCaCerts(settings: Settings): Config['extraCaCerts'] {
  const path = settings.get('NODE_EXTRA_CA_CERTS');
  if (path === undefined) return null;
  const isKnownToNode = settings.origin('NODE_EXTRA_CA_CERTS').file === null;
  return { path: resolve(path), isKnownToNode };
}

function environmentKeys(settings: Settings): EnvironmentKeys {
  const values = settings.names().flatMap((name) => {
    const value = isPoolVariable(name) ? settings.key(name) : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return environmentKeysOf(new Map(values));
}

/**
 * What the process was started with. Secrets leave `process.env` for good: every child and every
 * diagnostic report of node would hold them.
 */
export function takeEnvironment(): Environment {
  const taken = { ...process.env };
  for (const [name, value] of Object.entries(taken)) {
    if (isSecretVariable(name, value ?? '')) delete process.env[name];
  }
  return Object.freeze(taken);
}

/**
 * Builds the configuration.
 *
 * @param flags global flags from argv
 * @param env what `takeEnvironment` gave, or a literal one in tests
 * @throws ConfigError naming the variable or flag, never its value
 */
export function loadConfig(flags: GlobalFlags, env: Environment): Config {
  const found = given(flags.home) ?? presentValue(env.KEYPOOL_HOME) ?? defaultHome(env);
  const home = resolve(found ?? NO_HOME);
  const namedDotenv = given(flags.dotenv);
  const dotenvPath = namedDotenv === undefined ? join(home, '.env') : resolve(namedDotenv);
  const { values, warnings } = readDotenv(dotenvPath, namedDotenv !== undefined);
  const settings = new Settings(env, values, dotenvPath);
  const proxy = (name: string): string | null =>
    presentValue(env[name.toLowerCase()]) ??
    settings.get(name) ??
    settings.get(name.toLowerCase()) ??
    null;

  return Object.freeze({
    home,
    isHomeless: found === null,
    warnings: [...new Set([home, ...foldersOf(dotenvPath)])]
      .flatMap(folderWarnings)
      .concat(warnings),
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
    ledger: settings.isOn('KEYPOOL_LEDGER'),
    sharing: sharingSettings(settings),
    logLevel: logLevel(given(flags.logLevel) ?? settings.get('KEYPOOL_LOG_LEVEL') ?? 'info'),
    httpToken: {
      text: settings.get('KEYPOOL_HTTP_TOKEN') ?? null,
      file: settings.get('KEYPOOL_HTTP_TOKEN_FILE') ?? null,
    },
    proxy: {
      httpsProxy: proxy('HTTPS_PROXY'),
      allProxy: proxy('ALL_PROXY'),
      httpProxy: proxy('HTTP_PROXY'),
      noProxy: proxy('NO_PROXY'),
    },
    extraCaCerts: extraCaCerts(settings),
  });
}
