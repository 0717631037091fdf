import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, Session } from './stdio-session.ts';

let client: Session;

beforeEach(() => {
  client = new Session(fakeHost());
});

afterEach(async () => {
  await client.close();
});

function envelope(version: unknown): object {
  return {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
}

/** Parameters of another form than the method asks, and the member that is at fault. */
const MALFORMED: readonly (readonly [string, object, string])[] = [
  ['tools/call', {}, 'params.name'],
  ['tools/call', { name: 5 }, 'params.name'],
  ['tools/call', { name: 'perplexity_search', arguments: 'x' }, 'params.arguments'],
  ['tools/list', { cursor: 5 }, 'params.cursor'],
  ['resources/list', { cursor: {} }, 'params.cursor'],
  ['resources/templates/list', { cursor: [1] }, 'params.cursor'],
  ['resources/read', {}, 'params.uri'],
  ['resources/read', { uri: ['keypool://status'] }, 'params.uri'],
  ['prompts/list', { cursor: true }, 'params.cursor'],
  ['prompts/get', { name: 'generate_code', arguments: { task: ['x'] } }, 'params.arguments'],
  ['completion/complete', { ref: {} }, 'params.ref'],
];

describe.each([
  ['legacy', {}],
  ['modern', { _meta: envelope('2026-07-28') }],
])('parameters of another form in the %s era', (_era, meta) => {
  it.each(MALFORMED)('name the member at fault: %s %o', async (method, params, member) => {
    client.send({ id: 1, method, params: { ...params, ...meta } });
    expect((await client.reply(1)).error).toEqual({
      code: -32_602,
      message: `Invalid params: ${member} is missing or malformed`,
    });
  });

  it('repeat nothing of what was sent', async () => {
    const secret = 'sk-fake0123456789fake';
    const asked = [
      ['prompts/get', { name: secret }],
      ['prompts/get', { name: 'generate_code', arguments: { [secret]: 5 } }],
      ['tools/call', { name: secret }],
      ['completion/complete', { ref: { type: secret } }],
    ] as const;
    const replies = asked.map(([method, params], id) => {
      client.send({ id, method, params: { ...params, ...meta } });
      return client.reply(id);
    });
    expect(JSON.stringify(await Promise.all(replies))).not.toContain('fake0123');
  });
});

describe('a request the protocol refuses', () => {
  it.each([
    ['resources/read', { uri: 'file:///etc/passwd' }, -32_002],
    ['prompts/get', { name: 'other' }, -32_602],
    ['prompts/get', { name: 'generate_code' }, -32_602],
    ['nothing/such', {}, -32_601],
    ['ping', { _meta: { progressToken: {} } }, -32_602],
    ['initialize', {}, -32_602],
    ['initialize', { protocolVersion: 5, capabilities: {}, clientInfo: {} }, -32_602],
  ])('in the legacy era has its code: %s %o', async (method, params, code) => {
    client.send({ id: 1, method, params });
    expect((await client.reply(1)).error?.code).toBe(code);
  });

  it('names the member at fault, and no name that the client chose', async () => {
    const clientInfo = { name: 'test', version: '1' };
    const capabilities = { experimental: { 'fake-name': 5 } };
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo };
    client.send({ id: 1, method: 'initialize', params });
    expect((await client.reply(1)).error?.message).toBe(
      'Invalid params: params.capabilities is missing or malformed',
    );
  });

  it.each([
    ['tools/call', { name: 'other' }, -32_602],
    ['resources/read', { uri: 'file:///etc/passwd' }, -32_602],
    ['prompts/get', { name: 'other' }, -32_602],
    ['ping', {}, -32_601],
    ['initialize', {}, -32_601],
  ])('in the modern era has its code: %s %o', async (method, params, code) => {
    client.send({ id: 1, method, params: { ...params, _meta: envelope('2026-07-28') } });
    expect((await client.reply(1)).error?.code).toBe(code);
  });

  it('in a revision nobody speaks is told the one we speak, at any time', async () => {
    const ask = async (id: number) => {
      client.send({ id, method: 'server/discover', params: { _meta: envelope('2031-01-01') } });
      return (await client.reply(id)).error;
    };
    const first = await ask(1);
    expect(first).toMatchObject({ data: { supported: ['2026-07-28'], requested: '2031-01-01' } });
    const params = { uri: 'keypool://status', _meta: envelope('2026-07-28') };
    client.send({ id: 2, method: 'resources/read', params });
    expect((await client.reply(2)).result).toBeDefined();
    expect(await ask(3)).toEqual(first);
  });
});

describe('an unknown tool', () => {
  it('is a result with isError in the legacy era, as its SDK has it', async () => {
    client.call(1, 'other', {});
    expect((await client.reply(1)).result).toEqual({
      isError: true,
      content: [
        {
          type: 'text',
          text: 'There is no such tool; this server has deepseek_generate_code and perplexity_search.',
        },
      ],
    });
  });
});

describe('completion', () => {
  it.each([
    ['model', 'deepseek-v', ['deepseek-v4-pro']],
    ['language', 'TYPE', ['typescript']],
    ['task', '', []],
    ['toString', '', []],
  ])('of %s from "%s"', async (name, value, values) => {
    const params = {
      ref: { type: 'ref/prompt', name: 'generate_code' },
      argument: { name, value },
    };
    client.send({ id: 1, method: 'completion/complete', params });
    expect((await client.reply(1)).result?.completion).toMatchObject({ values });
  });
});
