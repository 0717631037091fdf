/**
 * The official conformance suite and the official Inspector: `npm run conformance`.
 *
 * The suite runs over HTTP, at the requirement sets frozen at each revision's release, on the built
 * program and on its server with the suite's own fixtures.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { startFixtures } from './fixture-server.ts';
import { runInspector } from './inspector.ts';
import { runTool } from './npm-tool.ts';
import { startProduct, startProxy } from './targets.ts';
import { surprises } from './verdict.ts';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const KEY = 'pplx-fake-for-conformance';

/** Both requirement sets on one server. @returns what did not come out as expected, in words */
async function runSuite(name: string, server: URL, token: string, home: string): Promise<string[]> {
  const [proxy, port] = await startProxy(server, token);
  const unexpected: string[] = [];
  try {
    for (const revision of REVISIONS) {
      const expectedFailures = join(HERE, `${name}-${revision}.yaml`);
      const results = join(home, name, revision);
      const { code } = await runTool({
        package: SUITE,
        command: [
          ...['conformance', 'server', '--url', `http://127.0.0.1:${port}/mcp`],
          ...['--requirements', revision, '--output-dir', results],
          ...['--expected-failures', expectedFailures],
        ],
        cwd: home,
      });
      const found = surprises(results, expectedFailures);
      if (code !== 0) found.push(`the suite ended with ${code}`);
      unexpected.push(...found.map((what) => `${name}, requirements ${revision}: ${what}`));
    }
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
  return unexpected;
}

async function onProduct(home: string, token: string): Promise<string[]> {
  const simulator = await startSimulator();
  simulator.addKey(KEY, { provider: 'perplexity' });
  const env = {
    HOME: home,
    KEYPOOL_HOME: join(home, 'keypool'),
    PERPLEXITY_API_KEY: KEY,
    PERPLEXITY_BASE_URL: simulator.perplexityUrl,
  };
  const [product, url] = await startProduct(env, token);
  try {
    const unexpected = await runSuite('product', url, token, home);
    return [...unexpected, ...(await runInspector({ url, token, env, cwd: home }))];
  } finally {
    if (product.exitCode === null) {
      product.kill();
      await once(product, 'exit');
    }
    await simulator.close();
  }
}

async function onFixtures(home: string, token: string): Promise<string[]> {
  const fixtures = await startFixtures(token);
  try {
    return await runSuite('fixtures', fixtures.url, token, home);
  } finally {
    await fixtures.stop();
  }
}

async function main(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-conformance-'));
  const token = randomBytes(24).toString('base64url');
  try {
    const unexpected = [...(await onProduct(home, token)), ...(await onFixtures(home, token))];
    for (const what of unexpected) console.log(`NOT as expected: ${what}`);
    if (unexpected.length === 0) console.log('Everything as expected.');
    return unexpected.length === 0 ? 0 : 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

process.exitCode = await main();
