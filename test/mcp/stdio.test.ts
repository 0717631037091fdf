import { afterEach, describe, expect, it } from 'vitest';
import { KeyStoreError } from '../../src/base/errors.ts';
import { LINE_LIMIT } from '../../src/mcp/stdio/lines.ts';
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
    ['params in a list', '{"jsonrpc":"2.0","id":6,"method":"ping","params":[]}\n', 6, -32_600],
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

  it('refuses a line over the limit by its id, wherever that stands, and goes on', async () => {
    const client = session(fakeHost());
    const filler = 'x'.repeat(LINE_LIMIT);
    client.raw(`{"jsonrpc":"2.0","method":"ping","params":{"id":1,"a":"${filler}"},"id":"late"}\n`);
    expect((await client.reply('late')).error?.code).toBe(-32_600);
    client.send({ id: 'next', ...PING });
    expect((await client.reply('next')).result).toEqual({});
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
