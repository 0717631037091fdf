/** Balances that one account cannot have, on the built program: what refusals showed is given up. */

import { createServer, request as forward, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { readStatus } from '../../../lab/program/shown-status.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const NAMES = [
  'DEEPSEEK_API_KEY',
  'DEEPSEEK_API_KEY_2',
  'DEEPSEEK_API_KEY_3',
  'DEEPSEEK_API_KEY_4',
];

let simulator: Simulator;
let front: Server;
/** What each key's account has, by its secret. */
const balances = new Map<string, string>();
const told = new Set<string>();

/** The simulator, but for the balances: each key has its own. */
function startFront(): Promise<Server> {
  const server = createServer((incoming, answer) => {
    const { method, url = '/', headers } = incoming;
    const secret = headers.authorization?.replace('Bearer ', '') ?? '';
    const balance = balances.get(secret);
    if (url.endsWith('/user/balance') && balance !== undefined) {
      told.add(secret);
      const info = { currency: 'USD', total_balance: balance };
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ is_available: true, balance_infos: [info] }));
      return;
    }
    const target = new URL(url, simulator.deepseekUrl);
    const onward = forward(target, { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function frontUrl(): string {
  const address = front.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { pathname } = new URL(simulator.deepseekUrl);
  return `http://127.0.0.1:${address.port}${pathname.replace(/\/$/, '')}`;
}

beforeEach(async () => {
  simulator = await startSimulator({ seed: 11 });
  front = await startFront();
});
afterEach(async () => {
  front.closeAllConnections();
  front.close();
  await simulator.close();
});

it('keys with balances far apart are no account, whatever their refusals look like', async () => {
  const keys: Record<string, string> = {};
  for (const [index, name] of NAMES.entries()) {
    const secret = canarySecret();
    keys[name] = secret;
    balances.set(secret, `${10 * (index + 1)}.37`);
    // Four keys that behave as those of one account do: the program finds that, and shows it.
    const pace = { ttftMs: 200, tokensPerSecond: 1_000_000, answerTokens: 20, jitter: 0.05 };
    simulator.addKey(secret, { provider: 'deepseek', account: 'one', ...pace });
  }
  simulator.setAccount('one', { capacity: 5, refusal: { wording: 'numbers', afterMs: 20 } });
  const home = await createHome({ simulator, env: { ...keys, DEEPSEEK_BASE_URL: frontUrl() } });
  const client = new RawClient(home.env);
  const found = async (): Promise<number> => {
    const { providers } = await readStatus(client);
    return providers[0]?.accounts.filter(({ found }) => found === true).length ?? 0;
  };
  const work = async (calls: number): Promise<void> => {
    const each = Array.from({ length: calls }, (_, call) =>
      client.callTool('deepseek_generate_code', { prompt: `Write function ${call}` }),
    );
    for (const { result } of await Promise.all(each)) expect(result?.isError).not.toBe(true);
  };
  try {
    await client.initialize();
    await work(48);
    await until('all balances are read', async () => {
      await work(12);
      return told.size === NAMES.length;
    });
    await until('what was found is given up', async () => (await found()) === 0);
    await work(48);
    expect(await found()).toBe(0);
  } finally {
    client.program.kill('SIGKILL');
    await client.program.exit;
    home.remove();
  }
}, 90_000);
