/** Results on every way out of the built program: without secrets, and otherwise as they came. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret, findLeaks, type Sink } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type EchoUpstream, startEchoUpstream } from '../../../lab/servers/echo-upstream.ts';

const keys = [
  { name: 'DEEPSEEK_API_KEY', secret: canarySecret('sk-') },
  { name: 'PERPLEXITY_API_KEY', secret: canarySecret('pplx-') },
  { name: 'BYBIT_SECRET', secret: canarySecret('fake') },
  // With a label, so that it is added by hand: nobody imports what is so short.
  { name: 'PHONE_PIN', secret: 'x7k9q2', account: 'phone' },
];
const proxyPassword = canarySecret('fake');

let upstream: EchoUpstream;
let home: Home;

beforeEach(async () => {
  upstream = await startEchoUpstream(() => '');
  // The address is that of a proxy which nothing is sent through.
  const env = {
    DEEPSEEK_BASE_URL: upstream.url,
    PERPLEXITY_BASE_URL: upstream.url,
    HTTPS_PROXY: `http://somebody:${proxyPassword}@127.0.0.1:9`,
    NO_PROXY: '127.0.0.1',
  };
  home = await createHome({ keys, env });
});

afterEach(async () => {
  await upstream.close();
  home.remove();
});

const coded = (value: string): string[] => {
  const bytes = Buffer.from(value);
  const wide = Buffer.from(value, 'utf16le');
  const each = (write: (byte: string) => string): string =>
    [...bytes].map((byte) => write(byte.toString(16).padStart(2, '0'))).join('');
  return [
    value,
    value.slice(9, 20),
    ...['', 'a', 'ab'].map((before) => Buffer.from(before + value).toString('base64')),
    ...['', 'a', 'ab'].map((before) => Buffer.from(before + value).toString('base64url')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    each((hex) => `%${hex}`),
    each((hex) => `\\u00${hex}`),
    wide.toString('base64'),
    wide.toString('hex'),
    [...value].join('\0'),
    Buffer.from(`Basic ${bytes.toString('base64')}`).toString('base64'),
  ];
};

/** One result on every way out. */
async function everyWay(): Promise<Sink[]> {
  const client = new RawClient(home.env);
  await client.initialize();
  const overStdio = [
    await client.callTool('deepseek_generate_code', { prompt: 'x' }),
    await client.callTool('perplexity_search', { query: 'x' }),
    await client.request('resources/read', { uri: 'keypool://status' }),
  ];
  await client.close();
  const http = await startHttp(home.env);
  const overHttp = [
    await http.call('deepseek_generate_code', { prompt: 'x' }),
    await http.call('perplexity_search', { query: 'x' }),
  ];
  const tasks = join(home.folder, 'tasks.jsonl');
  const out = join(home.folder, 'out.jsonl');
  writeFileSync(tasks, `${JSON.stringify({ id: 'sk-task-00000001', prompt: 'x' })}\n`);
  const batch = await run(['batch', tasks, '--out', out], home.env);
  return [
    { name: 'stdio', content: JSON.stringify(overStdio) },
    { name: 'stderr', content: client.program.stderr },
    { name: 'HTTP', content: overHttp.join('\n') },
    { name: 'stderr of HTTP', content: http.program.stderr },
    { name: 'batch', content: batch.stdout + batch.stderr },
    { name: 'out.jsonl', content: readFileSync(out) },
  ];
}

const contents = (sinks: readonly Sink[], ...names: string[]): string[] =>
  sinks.filter(({ name }) => names.includes(name)).map(({ content }) => content.toString());

describe('a result', () => {
  it('never holds a secret that the upstream repeats, in no encoding, on no way out', async () => {
    const master = /^MASTER_ENCRYPTION_KEY="?([^"\s]+)/m.exec(
      readFileSync(join(home.folder, '.env'), 'utf8'),
    )?.[1];
    const long = [...keys.map(({ secret }) => secret), proxyPassword, master ?? ''].filter(
      (secret) => secret.length > 8,
    );
    const own = new Set<string>();
    upstream.echo = (key) => {
      own.add(key);
      return ['before', ...[...long].flatMap(coded), 'the pin is x7k9q2.', 'after'].join('\n');
    };
    const sinks = await everyWay();
    expect(own.size).toBe(2);
    expect(findLeaks(long, sinks).leaks).toEqual([]);
    for (const content of contents(sinks, 'stdio', 'HTTP', 'out.jsonl')) {
      expect(content).toContain('before');
      expect(content).toContain('after');
      expect(content).not.toContain('x7k9q2');
    }
    expect(contents(sinks, 'out.jsonl')[0]).toContain('"id":"sk-task-00000001"');
  });

  it('that holds no secret is what the upstream wrote, whatever it looks like', async () => {
    const code = [
      'scheme: bearer',
      'bearerFormat: JWT',
      'Authorization: Bearer YOUR_API_TOKEN',
      'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0',
      'struct sk_buff_head list;',
      'OPENAI_API_KEY=sk-proj-abcdefghijklmnop0123456789',
      'https://news.example/sk-hynix-ships-hbm4-samples',
      'gAAAAABhZ0d0Y2tlZXBvb2xrZWVwb29sa2VlcG9vbGtlZXBvb2xrZWVwb29s',
    ].join('\n');
    upstream.echo = () => code;
    const escaped = JSON.stringify(code).slice(1, -1);
    for (const content of contents(await everyWay(), 'stdio', 'HTTP', 'out.jsonl')) {
      expect(content).toContain(escaped);
    }
  });

  it('comes back under the id that it was asked for with', async () => {
    const client = new RawClient(home.env);
    await client.initialize();
    const id = keys[0]?.secret ?? '';
    for (const each of ['sk-request-0001', 'Bearer abcdefgh12345678', id]) {
      const answer = client.answer(each);
      client.send({ jsonrpc: '2.0', id: each, method: 'tools/list' });
      expect((await answer).result?.tools).toHaveLength(2);
    }
    await client.close();
  });
});
