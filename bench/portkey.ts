/** The gateway that runs beside us, fetched from the package registry for the run. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GATEWAY = '@portkey-ai/gateway@1.15.2';

export interface Gateway {
  readonly url: string;
  stop(): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** @throws Error after half a minute */
export async function until(isReady: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isReady().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not start');
}

/** Null where it cannot be fetched. */
export async function startGateway(): Promise<Gateway | null> {
  const folder = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const how = ['--silent', '--no-save', '--ignore-scripts', '--prefix', folder];
    execFileSync('npm', ['install', ...how, GATEWAY], { stdio: 'ignore', timeout: 180_000 });
  } catch {
    remove();
    console.log(`${GATEWAY} could not be fetched: run without it`);
    return null;
  }
  const port = await freePort();
  const script = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const child: ChildProcess = spawn(process.execPath, [script, `--port=${port}`, '--headless'], {
    stdio: 'ignore',
  });
  const stop = (): void => {
    child.kill('SIGKILL');
    remove();
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await until(async () => (await fetch(url)).status < 500);
  } catch (error) {
    stop();
    throw error;
  }
  return { url, stop };
}

/**
 * Headers that spread calls over these keys, with three retries.
 *
 * Ask for whole answers: its streams end with "Headers are immutable" on Node 20.
 *
 * @param baseUrl the upstream's address without `/v1`
 */
export function gatewayHeaders(
  baseUrl: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const config = {
    strategy: { mode: 'loadbalance' },
    retry: { attempts: 3 },
    targets: secrets.map((secret) => ({
      provider: 'deepseek',
      api_key: secret,
      custom_host: baseUrl,
      weight: 1,
    })),
  };
  return { 'content-type': 'application/json', 'x-portkey-config': JSON.stringify(config) };
}
