/** The composition root of the HTTP server, for `serve --http` and for `dashboard`. */

import { rm } from 'node:fs/promises';
import { ConfigError } from '../../base/errors.ts';
import { createLogger, type Logger } from '../../base/logger.ts';
import { isLoopback } from '../../base/loopback.ts';
import { claimProcess } from '../../base/system/process-output.ts';
import { NAME, VERSION } from '../../base/version.ts';
import { type Config, type Environment, type GlobalFlags, loadConfig } from '../../config.ts';
import { plainAddress } from '../../http/door/served-names.ts';
import { createMetrics, type Metrics } from '../../http/metrics.ts';
import { builtPageFolder } from '../../http/page-files.ts';
import { newSecret } from '../../http/proof.ts';
import { serveHttp } from '../../http/serve-http.ts';
import type { ToolCallEvent } from '../../mcp/server-host.ts';
import { type CommandInput, secrets } from '../command.ts';
import { logWarnings } from '../composition/home/config-warnings.ts';
import { useConfiguration } from '../composition/keys/known-secrets.ts';
import { ServedEnvironment } from '../composition/served-environment.ts';
import { createAdmin } from './http-admin.ts';
import { readRecord, recordPath, writeRecord } from './http-record.ts';
import { findHttpToken, isSound } from './http-token.ts';
import { liveMetrics } from './live-metrics.ts';
import { moneyListeners } from './money.ts';
import { NamedClients } from './named-clients.ts';

export const DEFAULT_ADDRESS = '127.0.0.1';
export const DEFAULT_PORT = 8787;

/** A scheme, a host, perhaps a port, and nothing behind them; extensions have schemes of their own. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/i;
const HOST_NAME = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export interface HttpServerOptions {
  readonly flags: GlobalFlags;
  readonly env: Environment;
  readonly address: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly onListening?: (url: string, token: string) => void;
}

function portOf(raw: unknown): number {
  if (raw === undefined) return DEFAULT_PORT;
  const port = typeof raw === 'string' && /^\d{1,5}$/.test(raw) ? Number(raw) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new ConfigError('--port has to be a number from 0 to 65535', {
    hint: `leave it out for ${DEFAULT_PORT}`,
  });
}

function originsOf(raw: unknown): string[] {
  const origins = Array.isArray(raw) ? raw.map((origin) => String(origin).replace(/\/$/, '')) : [];
  if (origins.every((origin) => ORIGIN.test(origin))) return origins;
  throw new ConfigError('--allow-origin takes the origin of a page, and no path', {
    hint: 'for instance --allow-origin https://app.example',
  });
}

/** @throws ConfigError */
export function httpOptions({ values, flags, env }: CommandInput): HttpServerOptions {
  const { host = DEFAULT_ADDRESS, 'allow-host': allowed = [] } = values;
  const allowedHosts = Array.isArray(allowed) ? allowed.map(String) : [];
  if (!allowedHosts.every((name) => HOST_NAME.test(name))) {
    throw new ConfigError('--allow-host takes a host name, with or without a port', {
      hint: 'for instance --allow-host keys.example',
    });
  }
  if (typeof host !== 'string' || host === '') {
    throw new ConfigError('--host is empty', { hint: `leave it out for ${DEFAULT_ADDRESS}` });
  }
  return {
    flags,
    env,
    address: plainAddress(host),
    port: portOf(values.port),
    allowedHosts,
    allowedOrigins: originsOf(values['allow-origin']),
  };
}

/**
 * The token that calls and manages; known to the redactor from here on.
 *
 * @throws ConfigError where strangers can reach the address and nobody chose a token
 */
async function ownersToken(address: string, config: Config, logger: Logger): Promise<string> {
  const found = await findHttpToken(config);
  if (found.warning !== null) logger.warn(found.warning.message, { next: found.warning.hint });
  secrets.use('HTTP token', [found.token]);
  if (!isSound(found)) {
    logger.warn('The HTTP token is short and can be guessed', { next: 'openssl rand -hex 32' });
  }
  if (!isLoopback(address) && !found.isConfigured) {
    throw new ConfigError('an address that others can reach needs a token of yours', {
      hint: 'set KEYPOOL_HTTP_TOKEN or KEYPOOL_HTTP_TOKEN_FILE, and put TLS in front',
    });
  }
  return found.token;
}

/**
 * Serves until a signal comes.
 *
 * @returns the exit code
 * @throws ConfigError
 */
export async function runHttpServer(options: HttpServerOptions): Promise<number> {
  const { flags, env, address, port, allowedHosts, allowedOrigins, onListening } = options;
  const config = loadConfig(flags, env);
  useConfiguration(secrets, config);
  const logger = createLogger({ level: config.logLevel, redactor: secrets });
  const token = await ownersToken(address, config, logger);
  logWarnings(logger, config);
  const metrics = createMetrics();
  const served = new ServedEnvironment({
    flags,
    env,
    config,
    logger,
    redactor: secrets,
    title: 'serve --http',
    observer: metrics.observer,
    // Behind a proxy a page of this machine would open on another one.
    isLocal: isLoopback(address) && allowedHosts.length === 0,
    ...moneyListeners(metrics),
  });
  const record = recordPath(config.home);
  const recordSecret = newSecret();
  secrets.use('HTTP record', [recordSecret]);
  const clients = await NamedClients.follow(config.home, logger);
  let recorded = Promise.resolve();
  try {
    const crash = new AbortController();
    claimProcess(logger, () => crash.abort());
    const code = await serveHttp({
      signal: crash.signal,
      address,
      port,
      token,
      clientOf: (shown) => clients.find(shown),
      allowedHosts,
      allowedOrigins,
      host: served.host((event) => noteCall(event, metrics, logger)),
      admin: createAdmin(served),
      metrics: liveMetrics(metrics, served),
      pageFolder: builtPageFolder(),
      recordSecret,
      logger,
      onListening: (url) => {
        // Not before: a port that is taken is said first, and nothing beside it.
        logger.info(`${NAME} ${VERSION} serves over HTTP`, {
          environment: config.environment,
          store: config.storePath,
        });
        recorded = recordServer(record, { url, secret: recordSecret }, logger);
        onListening?.(url, token);
      },
    });
    return crash.signal.aborted ? 1 : code;
  } finally {
    await served.close();
    await recorded;
    await clients.close();
    await removeOwnRecord(record);
  }
}

/** For `dashboard` to find this server by. */
async function recordServer(
  path: string,
  entry: { readonly url: string; readonly secret: string },
  logger: Logger,
): Promise<void> {
  if (await writeRecord(path, { pid: process.pid, ...entry })) return;
  logger.warn('The home folder cannot be written: `dashboard` will not find this server');
}

function noteCall(event: ToolCallEvent, metrics: Metrics, logger: Logger): void {
  metrics.toolCallEnded(event);
  const { caller, tool, outcome, durationMs } = event;
  if (caller !== null) logger.info(`Call of ${caller}`, { caller, tool, outcome, durationMs });
}

async function removeOwnRecord(path: string): Promise<void> {
  if (readRecord(path)?.pid === process.pid) await rm(path, { force: true });
}
