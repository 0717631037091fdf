import { afterEach, describe, expect, it } from 'vitest';
import { KeyStoreError } from '../../src/base/errors.ts';
import { LINE_LIMIT } from '../../src/mcp/stdio/read-line.ts';
import { fakeHost, later, Session, untilAborted } from './stdio-session.ts';

const open: Session[] = [];

function session(...args: ConstructorParameters<typeof Session>): Session {
  const created = new Session(...args);
  open.push(created);
  return created;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

const PING = { method: 'ping' };

describe('a session', () => {
  it('initializes, lists both tools and calls them', async () => {
    const client = session(fakeHost());
    const { result } = await client.initialize();
    expect(result?.protocolVersion).toBe('2025-11-25');
    client.send({ id: 1, method: 'tools/list' });
    expect((await client.reply(1)).result?.tools).toHaveLength(2);
    client.call(2, 'deepseek_generate_code', { prompt: 'add two numbers' });
    expect((await client.reply(2)).result?.structuredContent).toMatchObject({
      code: 'def add(a, b):\n    return a + b',
      language: 'python',
      explanation: 'Adds two numbers.',
    });
    client.call(3, 'perplexity_search', { query: 'release notes' });
    expect((await client.reply(3)).result?.structuredContent).toMatchObject({
      results: [{ title: 'Release notes', last_updated: null }],
    });
  });

  it('echoes ids exactly, numbers and strings apart', async () => {
    const client = session(fakeHost());
    await client.initialize();
    for (const id of [0, '0', -7, 'α β', 2 ** 53 - 1]) client.send({ id, ...PING });
    for (const id of [0, '0', -7, 'α β', 2 ** 53 - 1]) {
      expect(await client.reply(id)).toEqual({ jsonrpc: '2.0', id, result: {} });
    }
  });

  it('answers with the reason while the store cannot be opened', async () => {
    const broken = new KeyStoreError('wrong_master', 'the master key does not open the store', {
      hint: 'check MASTER_ENCRYPTION_KEY',
    });
    const client = session(fakeHost({}, { clients: () => Promise.reject(broken) }));
    await client.initialize();
    client.call(1, 'perplexity_search', { query: 'x' });
    expect((await client.reply(1)).result).toEqual({
      isError: true,
      content: [
        {
          type: 'text',
          text: 'The master key does not open the store. Check MASTER_ENCRYPTION_KEY.',
        },
      ],
    });
  });
});

describe('lines that are no message', () => {
  it.each([
    ['garbage', 'not json\n', null, -32_700],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]), null, -32_700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', null, -32_600],
    ['a number', '42\n', null, -32_600],
    ['id null', '{"jsonrpc":"2.0","id":null,"method":"ping"}\n', null, -32_600],
    ['another version', '{"jsonrpc":"1.0","id":5,"method":"ping"}\n', 5, -32_600],
    ['a method that is a number', '{"jsonrpc":"2.0","id":"a","method":1}\n', 'a', -32_600],
    ['params in a list', '{"jsonrpc":"2.0","id":6,"method":"ping","params":[1]}\n', 6, -32_600],
    [
      'an id above 2^53',
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}\n',
      null,
      -32_600,
    ],
    [
      'an id below -2^53',
      '{"jsonrpc":"2.0","id":-9007199254740993,"method":"ping"}\n',
      null,
      -32_600,
    ],
    [
      'a progress token above 2^53',
      '{"jsonrpc":"2.0","id":8,"method":"ping","params":{"_meta":{"progressToken":9007199254740993}}}\n',
      8,
      -32_602,
    ],
    ['an empty batch', '[]\n', null, -32_600],
  ])('%s is answered and serving goes on', async (_name, bytes, id, code) => {
    const client = session(fakeHost());
    client.raw(bytes);
    expect((await client.reply(id)).error?.code).toBe(code);
    client.send({ id: 'next', ...PING });
    expect((await client.reply('next')).result).toEqual({});
  });

  it('takes a byte order mark, carriage returns and blank lines in its stride', async () => {
    const client = session(fakeHost());
    client.raw('\uFEFF{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\r\n  \n');
    expect(await client.reply(1)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(client.replies).toHaveLength(1);
  });

  it('refuses a line over the limit and goes on', async () => {
    const client = session(fakeHost());
    const filler = 'x'.repeat(LINE_LIMIT);
    client.raw(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${filler}"}}\n`);
    expect((await client.reply(null)).error?.code).toBe(-32_600);
    client.send({ id: 'next', ...PING });
    expect((await client.reply('next')).result).toEqual({});
  });

  it.each([
    { jsonrpc: '2.0', method: 'notifications/initialized', params: 5 },
    { jsonrpc: '2.0', method: 'notifications/initialized', params: [1] },
    { jsonrpc: '2.0', method: 'notifications/initialized', params: { _meta: 5 } },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: null },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: null } },
    { jsonrpc: '2.0', method: 'notifications/initialized', id: null },
    { jsonrpc: '1.0', method: 'notifications/initialized' },
    { method: 'nothing/such' },
    { jsonrpc: '2.0', method: 'tools/call', params: { name: 'other' } },
    { jsonrpc: '2.0', method: 'server/discover' },
  ])('never answers the notification %j', async (notification) => {
    const client = session(fakeHost());
    await client.initialize();
    client.call('warm', 'perplexity_search', { query: 'x' });
    await client.reply('warm');
    const before = client.replies.length;
    client.raw(`${JSON.stringify(notification)}\n`);
    client.call('next', 'perplexity_search', { query: 'x' });
    await client.reply('next');
    expect(client.replies).toHaveLength(before + 1);
  });
});

describe('a batch', () => {
  const search = (id: unknown, query: unknown) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'perplexity_search', arguments: { query } },
  });
  const ping = { jsonrpc: '2.0', id: 'p', ...PING };

  /** What came back as lists: `replies` holds whatever a line held. */
  function lists(client: Session): unknown[][] {
    return client.replies.flatMap((reply) => (Array.isArray(reply) ? [reply] : []));
  }

  it('under 2025-03-26 is answered as one, mistakes and all', async () => {
    const client = session(fakeHost());
    await client.initialize('2025-03-26');
    const note = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } };
    client.raw(`${JSON.stringify([search(1, 'a'), note, ping, 7, search(2, '')])}\n`);
    await client.until(() => lists(client).length > 0);
    const [answers = []] = lists(client);
    expect(answers).toHaveLength(4);
    expect(answers).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 'p', result: {} },
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_600 }) }),
        expect.objectContaining({
          id: 1,
          result: expect.objectContaining({ content: [expect.anything()] }),
        }),
        expect.objectContaining({ id: 2, result: expect.objectContaining({ isError: true }) }),
      ]),
    );
  });

  it('of notifications alone has no answer', async () => {
    const client = session(fakeHost());
    await client.initialize('2025-03-26');
    const before = client.replies.length;
    client.raw('[{"jsonrpc":"2.0","method":"notifications/initialized"}]\n');
    client.send({ id: 'next', ...PING });
    await client.reply('next');
    expect(client.replies).toHaveLength(before + 1);
  });

  it('leaves out the call that is cancelled', async () => {
    const started = later();
    const client = session(
      fakeHost({
        search: (_request, { signal }) => {
          started.happen();
          return untilAborted(signal);
        },
      }),
    );
    await client.initialize('2025-03-26');
    client.raw(`${JSON.stringify([ping, search(1, 'a')])}\n`);
    await started.happened;
    client.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
    await client.until(() => lists(client).length > 0);
    expect(lists(client)).toEqual([[{ jsonrpc: '2.0', id: 'p', result: {} }]]);
  });

  it.each(['2025-06-18', '2025-11-25'])('is refused under %s', async (version) => {
    const client = session(fakeHost());
    await client.initialize(version);
    client.raw(`${JSON.stringify([ping])}\n`);
    expect((await client.reply(null)).error?.code).toBe(-32_600);
  });
});

describe('null where nothing is meant', () => {
  it.each([
    ['ping', null],
    ['ping', []],
    ['ping', { _meta: null }],
    ['ping', { _meta: [] }],
    ['ping', { _meta: { progressToken: null } }],
    ['tools/list', { cursor: null }],
    ['prompts/list', { cursor: null, _meta: { progressToken: null } }],
    ['prompts/get', { name: 'generate_code', arguments: { task: 'x', language: null } }],
    ['tools/call', { name: 'perplexity_search', arguments: { query: 'x', answer: null } }],
    [
      'initialize',
      {
        protocolVersion: '2025-11-25',
        capabilities: { roots: null, sampling: null, experimental: null },
        clientInfo: { name: 'x', version: '1', title: null },
        _meta: null,
      },
    ],
    [
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: [], clientInfo: { name: 'x', version: '1' } },
    ],
  ])('is as if absent: %s %j', async (method, params) => {
    const client = session(fakeHost());
    client.send({ id: 1, method, params });
    const { result } = await client.reply(1);
    expect(result).toBeDefined();
    expect(result?.isError).toBeUndefined();
  });

  it.each([null, [], {}])('says of arguments %j that the required one is missing', async (args) => {
    const client = session(fakeHost());
    client.send({
      id: 1,
      method: 'tools/call',
      params: { name: 'perplexity_search', arguments: args },
    });
    expect(JSON.stringify((await client.reply(1)).result)).toContain('query is missing');
  });
});

describe('cancelling', () => {
  it.each([0, 1, 'a'])('aborts the call with id %s at once and never answers it', async (id) => {
    const aborted = later();
    const started = later();
    const client = session(
      fakeHost({
        generate: (_request, { signal }) => {
          started.happen();
          signal.addEventListener('abort', () => aborted.happen());
          return untilAborted(signal);
        },
      }),
    );
    await client.initialize();
    client.call(id, 'deepseek_generate_code', { prompt: 'x' });
    await started.happened;
    client.send({ method: 'notifications/cancelled', params: { requestId: id } });
    await aborted.happened;
    client.send({ id: 'after', ...PING });
    await client.reply('after');
    expect(client.replies.some((reply) => reply.id === id)).toBe(false);
  });
});

describe('the end', () => {
  it('answers what is nearly done when the input ends', async () => {
    const client = session(fakeHost());
    client.send({ id: 1, method: 'tools/list' });
    expect(await client.close()).toBe(0);
    expect((await client.reply(1)).result?.tools).toHaveLength(2);
  });

  it('aborts calls in flight when the input ends', async () => {
    let wasAborted = false;
    const started = later();
    const client = session(
      fakeHost({
        search: async (_request, { signal }) => {
          started.happen();
          return untilAborted<never>(signal).finally(() => {
            wasAborted = signal.aborted;
          });
        },
      }),
    );
    await client.initialize();
    client.call(1, 'perplexity_search', { query: 'x' });
    await started.happened;
    expect(await client.close()).toBe(0);
    expect(wasAborted).toBe(true);
  });

  it('comes when the owner says so', async () => {
    const owner = new AbortController();
    const client = session(fakeHost(), undefined, owner.signal);
    await client.initialize();
    owner.abort();
    expect(await client.exit).toBe(0);
  });

  it('comes quietly when nobody reads any more', async () => {
    const client = session(fakeHost());
    await client.initialize();
    client.output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await client.exit).toBe(0);
  });
});
