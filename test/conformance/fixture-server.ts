/**
 * The product's own HTTP server, guard and `/mcp` route included, with the suite's fixtures in
 * place of the product's tools. Never part of a build.
 */

import { silentLogger } from '../../src/base/logger.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { serveHttp } from '../../src/http/serve-http.ts';
import { createLegacyFixtures } from './legacy-fixtures.ts';
import { createModernFixtures } from './modern-fixtures.ts';

export interface FixtureServer {
  readonly url: URL;
  stop(): Promise<void>;
}

/** No fixture has anything to do with keys; what asks for one has gone astray. */
function noKeys(): Promise<never> {
  return Promise.reject(new Error('the fixtures have no keys'));
}

export async function startFixtures(token: string): Promise<FixtureServer> {
  const stopper = new AbortController();
  let listening: (url: URL) => void = () => {};
  const address = new Promise<URL>((resolve) => {
    listening = resolve;
  });
  const ended = serveHttp({
    address: '127.0.0.1',
    port: 0,
    token,
    allowedHosts: [],
    host: { clients: noKeys, status: noKeys, redact: (text) => text, models: [] },
    admin: {
      snapshot: () => Promise.resolve(null),
      listKeys: noKeys,
      putKey: noKeys,
      importKeys: noKeys,
      removeKey: noKeys,
      verifyKey: noKeys,
      money: noKeys,
      environments: noKeys,
      chooseEnvironment: noKeys,
    },
    metrics: createMetrics(),
    pageFolder: new URL('../../dist/dashboard/', import.meta.url),
    logger: silentLogger,
    servers: { legacy: createLegacyFixtures, modern: createModernFixtures },
    signal: stopper.signal,
    onListening: (url) => listening(new URL(url)),
  });
  const stop = async (): Promise<void> => {
    stopper.abort();
    await ended;
  };
  return { url: await Promise.race([address, ended.then(() => Promise.reject())]), stop };
}
