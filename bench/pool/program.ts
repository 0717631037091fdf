/** The built program, started as a client starts it: what its users get. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Work } from '../../lab/pool/simulation/virtual-upstream.ts';
import { Program } from '../../lab/program/program.ts';
import { promptFor, type RealUpstream } from './real-upstream.ts';
import type { Way } from './ways.ts';

/** Not a model that DeepSeek has: a 400 that is the caller's own. */
const BAD_MODEL = 'no-such-model';

const SETTLED_MS = 500;

function keysAsVariables(upstream: RealUpstream): Record<string, string> {
  return Object.fromEntries(upstream.keys.map(({ name, secret }) => [name, secret]));
}

/** `serve` over stdio, keys from the environment: nobody tells it which keys share an account. */
export async function throughProgram(upstream: RealUpstream, maxConcurrent: number): Promise<Way> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  const program = new Program({
    args: ['serve'],
    env: {
      HOME: home,
      KEYPOOL_HOME: home,
      KEYPOOL_LOG_LEVEL: 'error',
      KEYPOOL_MAX_CONCURRENT: String(maxConcurrent),
      DEEPSEEK_BASE_URL: upstream.url,
      ...keysAsVariables(upstream),
    },
  });
  const waiting = new Map<number, (line: string) => void>();
  program.onLine = (line) => {
    const id = Number(/"id":(\d+)/.exec(line)?.[1]);
    waiting.get(id)?.(line);
    waiting.delete(id);
  };
  let nextId = 1;
  const write = (message: object): void =>
    program.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = (method: string, params: object, signal?: AbortSignal): Promise<string> => {
    const id = nextId++;
    write({ id, method, params });
    const answer = new Promise<string>((resolve) => waiting.set(id, resolve));
    if (signal === undefined) return answer;
    const gone = once(signal, 'abort').then(() => {
      waiting.delete(id);
      write({ method: 'notifications/cancelled', params: { requestId: id } });
      throw new Error('cancelled');
    });
    return Promise.race([answer, gone]);
  };
  const clientInfo = { name: 'bench', version: '0' };
  await request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  write({ method: 'notifications/initialized' });
  // Nobody asks in the very second in which a client starts its servers.
  await delay(SETTLED_MS);
  return {
    call: async (work, _session, signal) => {
      const answer = await request('tools/call', callOf(work), signal);
      if (answer.includes('"isError":true')) throw new Error(answer.slice(0, 500));
      if (answer.length < 4 * work.tokens) throw new Error('half an answer');
    },
    close: () => {
      program.end();
      void program.exit.then(() => rmSync(home, { recursive: true, force: true }));
    },
  };
}

function callOf(work: Work): object {
  const prompt = promptFor(work);
  const model = work.isBad ? { model: BAD_MODEL } : {};
  return { name: 'deepseek_generate_code', arguments: { prompt, ...model } };
}
