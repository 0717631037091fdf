/** The openai package in the built program: what it would do by itself, and must not. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  callTool,
  connect,
  noise,
  type Session,
  textOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { startProxy } from '../../../lab/servers/test-proxy.ts';
import { fakeKey } from '../../../lab/store.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const KEYS = [
  { name: 'DEEPSEEK_API_KEY', secret: fakeKey() },
  { name: 'DEEPSEEK_API_KEY_2', secret: fakeKey() },
] as const;
const TASK = { prompt: 'Write a queue' };

let simulator: Simulator;
let home: Home;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 17 });
  for (const { secret } of KEYS) simulator.addKey(secret, { provider: 'deepseek' });
  home = await createHome({
    simulator,
    env: Object.fromEntries(KEYS.map(({ name, secret }) => [name, secret])),
  });
});
afterAll(async () => {
  home.remove();
  await simulator.close();
});

async function serve(env: Record<string, string> = {}): Promise<Session> {
  simulator.reset();
  const session = await connect({ ...home.env, ...env });
  onTestFinished(() => session.close());
  return session;
}

describe('the openai package', () => {
  it('takes no address, no header, no organization from the environment, and prints nothing', async () => {
    const trap = await startProxy({ routes: {} });
    onTestFinished(() => trap.close());
    const { client, program } = await serve({
      OPENAI_BASE_URL: `http://127.0.0.1:${trap.port}`,
      OPENAI_API_KEY: 'sk-openai-from-environment',
      OPENAI_ADMIN_KEY: 'sk-admin-from-environment',
      OPENAI_ORG_ID: 'org-from-environment',
      OPENAI_PROJECT_ID: 'project-from-environment',
      OPENAI_WEBHOOK_SECRET: 'secret-from-environment',
      OPENAI_CUSTOM_HEADERS: 'authorization: Bearer from-environment\nx-custom: from-environment',
      OPENAI_LOG: 'debug',
    });
    const result = await callTool(client, 'deepseek_generate_code', TASK);
    expect(result.isError, textOf(result)).not.toBe(true);
    expect(trap.seen).toEqual([]);
    expect(KEYS.map(({ secret }) => secret.slice(-6))).toContain(simulator.calls[0]?.keyId);
    const [call] = simulator.calls;
    expect(JSON.stringify(call?.headers)).not.toContain('from-environment');
    expect(Object.keys(call?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ]);
    expect(call?.headers['user-agent']).toMatch(/^keypool-mcp/);
    expect(noise(program.lines)).toEqual([]);
    expect(program.stderr).not.toMatch(/log_[0-9a-f]{6}|from-environment/);
  });

  it.each(['server_error', 'overloaded', 'rate_limit'] as const)(
    'sends a %s once, whatever Retry-After says',
    async (fault) => {
      const { client } = await serve();
      const [{ secret }] = KEYS;
      simulator.setProviderFaults('deepseek', [{ fault, retryAfter: 600, times: 1 }]);
      const startedAt = performance.now();
      const result = await callTool(client, 'deepseek_generate_code', TASK);
      expect(result.isError, textOf(result)).not.toBe(true);
      // Once to the key that was struck, and then to the other one.
      expect(simulator.calls).toHaveLength(2);
      expect(new Set(simulator.calls.map((call) => call.keyId)).size).toBe(2);
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      expect(JSON.stringify(result)).not.toContain(secret);
    },
  );

  it('bounds the body by our clocks, though the headers came at once', async () => {
    const { client } = await serve({
      KEYPOOL_CALL_TIMEOUT_MS: '3000',
      KEYPOOL_IDLE_TIMEOUT_MS: '1000',
    });
    simulator.setProviderFaults('deepseek', [{ fault: 'keep_alive_for_ever', times: 9 }]);
    const result = await callTool(client, 'deepseek_generate_code', TASK);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/sent nothing for 1 s|did not finish within/);
  });
});
