/**
 * The official conformance suite and the official Inspector: `npm run conformance`.
 *
 * The suite runs over HTTP, at the requirement sets frozen at each revision's release, on the built
 * program and on its server with the suite's own fixtures. Both tools need Node 22; on an older
 * Linux they are run with npm's own copy.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFixtures } from './fixture-server.ts';
import { CLI, productEnvironment, startProduct, startProxy } from './targets.ts';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
const ERAS = ['legacy', 'auto', 'modern'] as const;
const HERE = fileURLToPath(new URL('.', import.meta.url));

type Variables = Readonly<Record<string, string>>;

/** Runs a package's command on Node 22 or later; resolves with its exit code. */
async function runPackage(name: string, command: readonly string[], cwd: string, env?: Variables) {
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const packages = [name, ...(isOld ? [`node-linux-${process.arch}@22`] : [])];
  const child = spawn(
    'npm',
    ['exec', '--yes', ...packages.map((each) => `--package=${each}`), '--', ...command],
    { cwd, stdio: ['ignore', 'inherit', 'inherit'], ...(env === undefined ? {} : { env }) },
  );
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

/** Both requirement sets on one server. @returns what did not come out as expected */
async function runSuite(name: string, server: URL, token: string, home: string): Promise<string[]> {
  const [proxy, port] = await startProxy(server, token);
  const unexpected: string[] = [];
  try {
    for (const revision of REVISIONS) {
      const code = await runPackage(
        SUITE,
        [
          ...['conformance', 'server', '--url', `http://127.0.0.1:${port}/mcp`],
          ...['--requirements', revision],
          ...['--expected-failures', join(HERE, `${name}-${revision}.yaml`)],
          ...['--output-dir', join(home, name, revision)],
        ],
        home,
      );
      if (code !== 0) unexpected.push(`${name}, requirements ${revision}`);
    }
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
  return unexpected;
}

async function runOnProduct(home: string, token: string): Promise<string[]> {
  const [product, target] = await startProduct(home, token);
  try {
    return await runSuite('product', target, token, home);
  } finally {
    if (product.exitCode === null) {
      product.kill();
      await once(product, 'exit');
    }
  }
}

async function runOnFixtures(home: string, token: string): Promise<string[]> {
  const fixtures = await startFixtures(token);
  try {
    return await runSuite('fixtures', fixtures.url, token, home);
  } finally {
    await fixtures.stop();
  }
}

/** The Inspector as a strict client of the built program over stdio, in each era. */
async function runInspector(home: string): Promise<string[]> {
  const unexpected: string[] = [];
  for (const era of ERAS) {
    const code = await runPackage(
      INSPECTOR,
      [
        ...['mcp-inspector', '--cli', '--strict', '--protocol-era', era, '--quiet'],
        ...['--method', 'tools/list', process.execPath, CLI],
      ],
      home,
      { ...productEnvironment(home), npm_config_cache: process.env.npm_config_cache ?? '' },
    );
    if (code !== 0) unexpected.push(`Inspector, era ${era}`);
  }
  return unexpected;
}

async function main(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-conformance-'));
  const token = randomBytes(24).toString('base64url');
  try {
    const unexpected = [
      ...(await runOnProduct(home, token)),
      ...(await runOnFixtures(home, token)),
      ...(await runInspector(home)),
    ];
    for (const what of unexpected) console.log(`NOT as expected: ${what}`);
    if (unexpected.length === 0) console.log('Everything as expected.');
    return unexpected.length === 0 ? 0 : 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

process.exitCode = await main();
