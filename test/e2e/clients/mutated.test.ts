/** Requests that no client should send, to the built program: each has one answer, in our words. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { mutatedRequest, type Request } from '../../../lab/program/mutated-requests.ts';
import { noise, RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { seededRandom } from '../../../src/simulator/random.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const ERAS = [
  ['legacy', {}],
  ['modern', ENVELOPE],
] as const;
const REQUESTS = 250;
/** An internal error, a schema library's report, or a slip of the language. */
const NOT_OURS = /-32603|invalid_type|invalid_union|TypeError|Internal error/;

/** What a request of this era says of itself beside its body. */
function modernHeaders([method, { name, uri }]: Request): Record<string, string> {
  const named = [name, uri].find((each) => typeof each === 'string' && /^[\w:/]+$/.test(each));
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
  };
}

let simulator: Simulator;
let home: Home;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
  const [deepseek, perplexity] = [canarySecret(), canarySecret('pplx-fake')];
  simulator.addKey(deepseek, { provider: 'deepseek' });
  simulator.addKey(perplexity, { provider: 'perplexity' });
  simulator.setAccount(perplexity, { ratePerSecond: 10_000 });
  const env = { DEEPSEEK_API_KEY: deepseek, PERPLEXITY_API_KEY: perplexity };
  home = await createHome({ simulator, env });
});

afterAll(async () => {
  home.remove();
  await simulator.close();
});

describe.each(ERAS)('mutated requests of the %s era', (era, meta) => {
  it('are each answered once on stdio, and the program lives on', async () => {
    const client = new RawClient(home.env);
    onTestFinished(() => client.close());
    await client.initialize();
    const random = seededRandom(era.length);
    const asked = Array.from({ length: REQUESTS }, () => mutatedRequest(random, meta));
    const answers = await Promise.all(asked.map(([method, rest]) => client.request(method, rest)));
    for (const [index, answer] of answers.entries()) {
      expect(JSON.stringify(answer), JSON.stringify(asked[index])).not.toMatch(NOT_OURS);
    }
    const served = answers.filter(({ result }) => result !== undefined).length;
    expect(served).toBeGreaterThan(REQUESTS / 4);
    const ids = client.messages.filter(({ method }) => method === undefined).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await client.request('ping')).result).toEqual({});
    expect(noise(client.program.lines)).toEqual([]);
  });

  it('are each answered over HTTP, and the program lives on', async () => {
    const { ask, open } = await startHttp(home.env);
    const random = seededRandom(era.length + 1);
    const session = era === 'legacy' ? await open() : null;
    const post = (id: number, request: Request) =>
      ask('/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(session === null ? modernHeaders(request) : { 'mcp-session-id': session }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id, method: request[0], params: request[1] }),
      });
    let served = 0;
    for (let id = 0; id < REQUESTS; id += 10) {
      const asked = Array.from({ length: 10 }, () => mutatedRequest(random, meta));
      const answers = await Promise.all(asked.map((each, index) => post(id + index, each)));
      for (const [index, answer] of answers.entries()) {
        expect(answer.status, JSON.stringify(asked[index])).toBeLessThan(500);
        const text = await answer.text();
        expect(text, JSON.stringify(asked[index])).not.toMatch(NOT_OURS);
        if (text.includes('"result"')) served += 1;
      }
    }
    // Most of what came was understood as far as its fault.
    expect(served).toBeGreaterThan(REQUESTS / 4);
    expect((await ask('/healthz')).status).toBe(200);
  });
});
