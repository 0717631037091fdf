/** Clients that leave in the middle of what they say or wait for: nobody's error, and no other's loss. */

import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp, TOKEN } from '../../../lab/program/http-program.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const TOOL = 'deepseek_generate_code';
const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: TOOL, arguments: { prompt: 'x'.repeat(3_000) } },
});
const HALF = BODY.slice(0, BODY.length / 2);
const PACKED = gzipSync(BODY);
const CHUNK = `${HALF.length.toString(16)}\r\n${HALF}\r\n`;

/** What a client says before it is gone: headers beside the usual ones, and the first bytes of a body. */
const LEFT: ReadonlyArray<readonly [string, string, string | Buffer]> = [
  ['half of a body of known length', `Content-Length: ${BODY.length}`, HALF],
  ['nothing of a body', `Content-Length: ${BODY.length}`, ''],
  ['a body it asked leave for', `Expect: 100-continue\r\nContent-Length: ${BODY.length}`, ''],
  ['some chunks', 'Transfer-Encoding: chunked', CHUNK],
  ['half a chunk', 'Transfer-Encoding: chunked', CHUNK.slice(0, 500)],
  [
    'half of a packed body',
    `Content-Encoding: gzip\r\nContent-Length: ${PACKED.length}`,
    PACKED.subarray(0, PACKED.length / 2),
  ],
];
const PATHS = ['/mcp', '/api/keys', '/api/keys/import', '/api/environment', '/nowhere'];

let simulator: Simulator;
let secret: string;
let server: HttpProgram;
beforeEach(async () => {
  simulator = await startSimulator();
  secret = fakeKey();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  const searcher = canarySecret('pplx-fake');
  simulator.addKey(searcher, { provider: 'perplexity', faults: [{ fault: 'never_answers' }] });
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret },
    { name: 'PERPLEXITY_API_KEY', secret: searcher },
  ];
  const home = await createHome({ keys, simulator });
  onTestFinished(async () => {
    await simulator.close();
    home.remove();
  });
  server = await startHttp({ ...home.env, KEYPOOL_LOG_LEVEL: 'debug' });
});

/** Sends what is given, waits until `isTime`, and is gone: with a reset, or with an ordinary end. */
async function leave(
  sent: ReadonlyArray<string | Buffer>,
  how: 'reset' | 'end',
  isTime: () => boolean = () => true,
): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).resume();
  for (const part of sent)
    await new Promise<void>((resolve) => socket.write(part, () => resolve()));
  await until('it is time to leave', isTime);
  if (how === 'reset') socket.resetAndDestroy();
  else socket.end();
  await closed;
}

function head(path: string, headers: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    `Authorization: Bearer ${TOKEN}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `${headers}\r\n\r\n`,
  ].join('\r\n');
}

async function expectNothingHappened(): Promise<void> {
  expect(await server.call(TOOL, { prompt: 'x' })).toContain('"structuredContent"');
  const metrics = await (await server.ask('/metrics')).text();
  expect(metrics).toMatch(/^deepseek_inflight_requests\{.*\} 0$/m);
  expect(metrics).not.toMatch(/outcome="(?:internal_)?error"/);
  const levels = server.program.stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
  expect(levels).not.toContainEqual(expect.objectContaining({ level: 'error' }));
  expect(levels).not.toContainEqual(expect.objectContaining({ msg: 'internal error' }));
}

describe('a client that leaves', () => {
  it.each(LEFT)('after %s is no error on any route', async (_what, headers, bytes) => {
    for (const path of PATHS) {
      for (const how of ['reset', 'end'] as const) await leave([head(path, headers), bytes], how);
    }
    await expectNothingHappened();
  });

  it('while its key is looked at ends that, and is no error', async () => {
    const asked = head('/api/keys/PERPLEXITY_API_KEY/verify', 'Content-Length: 0');
    await leave([asked], 'reset', () => simulator.inFlight() > 0);
    await until('the question is taken back', () => simulator.inFlight() === 0);
    await expectNothingHappened();
  });

  it('while its call is served takes the call back', async () => {
    simulator.setBehaviour(secret, { faults: [{ fault: 'never_answers' }] });
    const session = `Mcp-Session-Id: ${await server.open()}`;
    const isAsked = () => simulator.inFlight() > 0;
    await leave(
      [head('/mcp', `${session}\r\nContent-Length: ${BODY.length}`), BODY],
      'end',
      isAsked,
    );
    await until('the call is taken back', () => simulator.inFlight() === 0);
    simulator.setBehaviour(secret, { faults: [] });
    await expectNothingHappened();
  });
});
