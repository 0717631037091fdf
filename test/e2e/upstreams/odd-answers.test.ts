/**
 * Upstreams that the simulator is too well behaved for, before the built program: one server of it,
 * many odd answers. What counts is what the client gets, how often the upstream was asked for it,
 * and what it did to the keys.
 */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { callTool, connect, type Session, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';

type Respond = (response: ServerResponse) => void;

/** Answers POSTs in turn; the last answer serves all that follow. Free look-ups always succeed. */
class OddUpstream {
  readonly paths: string[] = [];
  answers: readonly Respond[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'GET') {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ is_available: true, balance_infos: [], data: [] }));
          return;
        }
        const answer = this.answers[Math.min(this.paths.length, this.answers.length - 1)];
        this.paths.push(request.url ?? '');
        answer?.(response);
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  play(answers: readonly Respond[]): void {
    this.answers = answers;
    this.paths.length = 0;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const KEYS_EACH = 12;
const TIMES = { KEYPOOL_CALL_TIMEOUT_MS: '20000', KEYPOOL_IDLE_TIMEOUT_MS: '4000' } as const;

const deepseek = new OddUpstream();
const perplexity = new OddUpstream();
let home: Home;
let session: Session;
/** With one key alone, from which no call is taken for being slower than another. */
let lone: Session;

beforeAll(async () => {
  const env: Record<string, string> = {
    ...TIMES,
    DEEPSEEK_BASE_URL: await deepseek.listen(),
    PERPLEXITY_BASE_URL: await perplexity.listen(),
  };
  for (const [family, prefix] of [
    ['DEEPSEEK_API_KEY', 'sk-fake'],
    ['PERPLEXITY_API_KEY', 'pplx-fake'],
  ] as const) {
    for (let number = 1; number <= KEYS_EACH; number++) {
      env[`${family}${number === 1 ? '' : `_${number}`}`] = canarySecret(prefix);
    }
  }
  home = await createHome({ env });
  session = await connect(home.env);
  const others = Object.keys(env).filter((name) => /_KEY_\d+$/.test(name));
  lone = await connect({ ...home.env, ...Object.fromEntries(others.map((name) => [name, ''])) });
});
afterAll(async () => {
  await session.close();
  await lone.close();
  home.remove();
  deepseek.close();
  perplexity.close();
});

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE = { 'content-type': 'text/event-stream' };
const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

function reply(
  status: number,
  body: unknown,
  headers: Record<string, string> = JSON_TYPE,
): Respond {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (response) => void response.writeHead(status, headers).end(text);
}

function failing(status: number, error: object, headers = {}): Respond {
  return reply(status, { error }, { ...JSON_TYPE, ...headers });
}

type Choice = Readonly<Record<string, unknown>>;

function event(choice: Choice, rest: object = {}): string {
  return `data: ${JSON.stringify({ id: 'x', model: 'deepseek-flash', choices: [choice], ...rest })}\n\n`;
}

function text(content: unknown, finish: unknown = null): string {
  return event({ index: 0, delta: { content }, finish_reason: finish });
}

function finish(reason: unknown, rest: object = { usage: USAGE }): string {
  return event({ index: 0, delta: { content: '' }, finish_reason: reason }, rest);
}

const DONE = 'data: [DONE]\n\n';
const stream = (...events: readonly string[]): Respond => reply(200, events.join(''), SSE);

const CODE = 'const answer = 42;\nexport { answer };';
const FENCED = `\`\`\`js\n${CODE}\n\`\`\`\n`;
const good = stream(text(FENCED), finish('stop'), DONE);
const half = text('```js\nconst answer');

interface Got {
  readonly isError: boolean;
  readonly text: string;
  readonly code: unknown;
  readonly structured: Readonly<Record<string, unknown>>;
}

async function call(name: string, args: Record<string, unknown>, on = session): Promise<Got> {
  const result = await callTool(on.client, name, args);
  const structured = result.structuredContent ?? {};
  return {
    isError: result.isError === true,
    text: textOf(result),
    code: structured.code,
    structured,
  };
}

const generate = (args = {}, on = session): Promise<Got> =>
  call('deepseek_generate_code', { prompt: 'Write the answer', ...args }, on);
const search = (args = {}): Promise<Got> => call('perplexity_search', { query: 'tea', ...args });

interface KeyView {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly lastError: unknown;
}

async function keyViews(): Promise<KeyView[]> {
  const { contents } = await session.client.readResource({ uri: 'keypool://status' });
  const [content] = contents;
  const body = content !== undefined && 'text' in content ? content.text : '{}';
  const { providers } = JSON.parse(String(body));
  return providers.flatMap(({ keys }: { keys: Array<Record<string, unknown>> }) =>
    // Not the state: a pause that ends meanwhile changes it.
    keys.map(({ name, state, lastError }) => ({
      name: String(name),
      isDisabled: state === 'disabled',
      lastError,
    })),
  );
}

describe('an ending that is none', () => {
  const words = [
    'error',
    'network_error',
    'sensitive',
    'model_context_window_exceeded',
    'max_tokens',
    'safety',
    'cancelled',
    'timeout',
    'aborted',
    'insufficient_system_resource',
    'tool_calls',
    'some_word_of_2027',
    'eos',
    7,
  ];
  it.each(words)(
    'finish_reason %s: the next key answers from the start or goes on',
    async (word) => {
      deepseek.play([stream(half, finish(word), DONE), good]);
      const got = await generate();
      expect(got).toMatchObject({ isError: false, code: CODE });
      expect(got.structured).toMatchObject({ attempts: 2, finish_reason: 'stop' });
    },
  );

  it('that comes again and again is an error with the word, and no third send', async () => {
    deepseek.play([stream(half, finish('max_tokens'), DONE)]);
    const before = await keyViews();
    const got = await generate();
    expect(got.isError).toBe(true);
    expect(got.text).toContain('max_tokens');
    expect(deepseek.paths).toHaveLength(2);
    expect(await keyViews()).toEqual(before);
  });

  it('an error beside stop is one', async () => {
    const choice = { index: 0, delta: {}, finish_reason: 'stop', error: { message: 'broke' } };
    deepseek.play([stream(half, event(choice), DONE), good]);
    expect(await generate()).toMatchObject({ isError: false, code: CODE });
  });

  it('a content filter is the caller’s, at once', async () => {
    deepseek.play([stream(half, finish('content_filter'), DONE)]);
    const got = await generate();
    expect(got.text).toMatch(/content filter/);
    expect(deepseek.paths).toHaveLength(1);
  });

  it('length is truncated, and says so', async () => {
    deepseek.play([stream(half, finish('length'), DONE)]);
    const got = await generate();
    expect(got.structured).toMatchObject({ truncated: true, code: 'const answer' });
    expect(got.text).toMatch(/Truncated at max_tokens/);
  });
});

describe('an ending that is not yet', () => {
  const pieces = FENCED.match(/[\s\S]{1,12}/g) ?? [];
  /** Pieces so far apart that an answer that was believed whole would be left. */
  const slowly = (events: readonly string[], pauseMs: number): Respond => {
    return async (response) => {
      response.writeHead(200, SSE);
      for (const each of events) {
        response.write(each);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      response.end();
    };
  };

  it.each([[''], [null]])('finish_reason %j on every chunk, slowly: all of it', async (none) => {
    const slow = [text(pieces[0], none), text(pieces.slice(1).join(''), none), finish('stop')];
    deepseek.play([slowly([...slow, DONE], 2_600)]);
    expect(await generate({}, lone)).toMatchObject({ code: CODE });
    expect(deepseek.paths).toHaveLength(1);
  });

  it('content after a finish is content', async () => {
    const events = [
      text(pieces[0], 'stop'),
      ...pieces.slice(1).map((piece) => text(piece, 'stop')),
    ];
    deepseek.play([stream(...events, DONE)]);
    expect(await generate()).toMatchObject({ code: CODE });
    deepseek.play([slowly([text(pieces[0], 'stop'), text(pieces.slice(1).join('')), DONE], 2_600)]);
    expect(await generate({}, lone)).toMatchObject({ code: CODE });
  });

  it('a stream that just ends is no success', async () => {
    deepseek.play([stream(half), good]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: CODE });
    expect(got.structured.attempts).toBe(2);
  });
});

const LONG = `\`\`\`js\n${Array.from({ length: 60 }, (_, at) => `const value${at} = ${at * at};`).join('\n')}\n\`\`\`\n`;
const LONG_CODE = LONG.slice(6, -5);
const cut = stream(text(LONG.slice(0, 700)));
const rest = stream(text(LONG.slice(700)), finish('stop'), DONE);
const whole = stream(text(LONG), finish('stop'), DONE);

describe('the beta address', () => {
  const refusals: ReadonlyArray<readonly [string, Respond]> = [
    ['401', failing(401, { message: 'Authentication Fails', type: 'authentication_error' })],
    ['402', failing(402, { message: 'Insufficient Balance' })],
    ['403', failing(403, { message: 'no' })],
    ['404', reply(404, 'no such page')],
    ['429', failing(429, { message: 'Rate limit reached', type: 'rate_limit_error' })],
    ['500', failing(500, { message: 'x' })],
    ['503', failing(503, { message: 'x' })],
    ['a redirect', reply(301, '', { location: 'https://elsewhere.invalid/' })],
    [
      'a web page',
      reply(200, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' }),
    ],
    ['a reset', (response) => void response.socket?.resetAndDestroy()],
    ['an error under 200', failing(200, { message: 'Rate limit reached', code: 429 })],
    ['a repetition', whole],
    ['a fresh answer', stream(text(`Sure! Here it is:\n\n${LONG}`), finish('stop'), DONE)],
    [
      'the last line again',
      stream(text(LONG.slice(LONG.lastIndexOf('\n', 699) + 1)), finish('stop')),
    ],
  ];
  it.each(refusals)(
    '%s: asked once, judged not at all, and the plain one answers',
    async (_n, beta) => {
      const before = await keyViews();
      deepseek.play([cut, beta, whole]);
      const got = await generate();
      expect(got).toMatchObject({ isError: false, code: LONG_CODE });
      expect(deepseek.paths).toEqual([
        '/chat/completions',
        '/beta/chat/completions',
        '/chat/completions',
      ]);
      const marked = (await keyViews()).filter(
        (key, at) => JSON.stringify(key) !== JSON.stringify(before[at]),
      );
      // The one whose answer broke off at the plain address is noted, and no other.
      expect(marked.length).toBeLessThanOrEqual(1);
      for (const { lastError } of marked)
        expect(lastError).toMatchObject({ text: 'the answer broke off' });
    },
  );

  it('silence there: the plain one answers before the key looks silent', async () => {
    deepseek.play([cut, () => {}, whole]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: LONG_CODE });
    expect(got.structured.attempts).toBe(2);
  });

  it('a continuation goes on, also in several pieces', async () => {
    deepseek.play([cut, rest]);
    expect(await generate()).toMatchObject({ code: LONG_CODE });
    deepseek.play([
      stream(text(LONG.slice(0, 400))),
      stream(text(LONG.slice(400, 900))),
      stream(text(LONG.slice(900)), finish('stop'), DONE),
    ]);
    expect(await generate()).toMatchObject({ code: LONG_CODE });
    expect(deepseek.paths).toHaveLength(3);
  });
});

describe('code is found whatever it stands in', () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    [
      'a tagged fence inside a block of another language',
      '```python\nd = """\n```js\na()\n```\n"""\nprint(d)\n```\nDone.',
      'd = """\n```js\na()\n```\n"""\nprint(d)',
    ],
    ['a fence behind prose', 'Here is the code: ```python\nprint(1)\n```\nThat is it.', 'print(1)'],
    [
      'no opening fence',
      'def f():\n    return 1\n```\nThis returns one.',
      'def f():\n    return 1',
    ],
    [
      'a fence behind a brace',
      '```js\nif (a) {\n  b();\n}```\nThat is all.',
      'if (a) {\n  b();\n}',
    ],
    ['an end token beside the fence', '```js\na();\n```<|end_of_sentence|>', 'a();'],
    ['its relatives', '```js\na();\n```<｜end▁of▁sentence｜>', 'a();'],
    ['an end token inside', '```js\na();\n<|im_end|>```', 'a();'],
    ['a lone </think>', 'Let me think ```js\nno();\n```\n</think>\n\n```js\na();\n```', 'a();'],
    ['no fence at all', 'print(1)', 'print(1)'],
    ['a span', 'Run ```npm ci``` first.', 'npm ci'],
    ['two files', '`a.ts`:\n```ts\nA;\n```\n**src/b.ts**\n```ts\nB;\n```', 'A;\n\nB;'],
  ];
  it.each(cases)('%s', async (_name, answer, code) => {
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    const got = await generate();
    expect(got.code).toBe(code);
  });

  it('says where each block lies, and in which file', async () => {
    const answer = '`a.ts`:\n```ts\nA;\nA;\n```\n**src/b.py**\n```python\nB\n```\nThat is it.';
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    const { structured, text: shown } = await generate();
    expect(structured).toMatchObject({
      blocks: [
        { file: 'a.ts', language: 'ts', from_line: 1, to_line: 2 },
        { file: 'src/b.py', language: 'python', from_line: 4, to_line: 4 },
      ],
      explanation: 'That is it.',
    });
    expect(Object.keys(structured)[0]).toBe('language');
    expect(Object.keys(structured).at(-1)).toBe('code');
    expect(shown).toContain('src/b.py:\n```python');
  });

  it.each(['I cannot help with that.', 'Which version of the library do you use?'])(
    'an answer without any is an explanation: %s',
    async (answer) => {
      deepseek.play([stream(text(answer), finish('stop'), DONE)]);
      const got = await generate({ language: 'python' });
      expect(got).toMatchObject({ isError: false, code: '' });
      expect(got.structured).toMatchObject({ blocks: [] });
      expect(got.structured.explanation).toContain(answer);
      expect(got.text).toMatch(/holds no code/);
    },
  );

  it('100,000 blanks behind a fence hold nobody', async () => {
    deepseek.play([stream(text(`\`\`\`js${' '.repeat(100_000)}\na();\n\`\`\``), finish('stop'))]);
    expect((await generate()).code).toBe('a();');
  });
});

describe('what is no content', () => {
  const message = (fields: object): Respond =>
    stream(event({ index: 0, delta: fields, finish_reason: null }), finish('stop'), DONE);
  const cases: ReadonlyArray<readonly [string, Respond, RegExp]> = [
    ['reasoning alone', message({ reasoning_content: 'hm' }), /nothing but reasoning/],
    ['reasoning of another make', message({ reasoning: 'hm' }), /nothing but reasoning/],
    ['nothing', message({}), /without having written anything/],
    [
      'tool calls',
      stream(event({ index: 0, delta: { tool_calls: [{ id: '1' }] } }), finish('tool_calls'), DONE),
      /called tools/,
    ],
  ];
  it.each(cases)('%s: says so, and marks no key', async (_name, answer, words) => {
    const before = await keyViews();
    deepseek.play([answer]);
    const got = await generate();
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(words);
    expect(got.text).not.toMatch(/login page/);
    expect(deepseek.paths.length).toBeLessThanOrEqual(2);
    expect(await keyViews()).toEqual(before);
  });

  it('a refusal apart from the content is an answer without code', async () => {
    deepseek.play([message({ refusal: 'I will not do that.' })]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: '' });
    expect(got.text).toMatch(/refused[\s\S]*I will not do that\./);
  });

  it('reasoning keeps a slow answer alive', async () => {
    deepseek.play([
      async (response) => {
        response.writeHead(200, SSE);
        for (let round = 0; round < 4; round++) {
          response.write(event({ index: 0, delta: { reasoning: 'still at it ' } }));
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        response.end(text(FENCED) + finish('stop') + DONE);
      },
    ]);
    expect(await generate({}, lone)).toMatchObject({ code: CODE });
    expect(deepseek.paths).toHaveLength(1);
  });
});

describe('forms of another make', () => {
  const completion = {
    id: 'x',
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: FENCED } }],
    usage: USAGE,
  };
  const plain = text(FENCED) + finish('stop') + DONE;
  const parts = [
    { type: 'text', text: FENCED.slice(0, 9) },
    { type: 'text', text: FENCED.slice(9) },
  ];
  const cases: ReadonlyArray<readonly [string, Respond]> = [
    ['an empty data line', stream('data:\n\n', plain)],
    ['data: ping', stream('data: ping\n\n', plain)],
    ['data: DONE', stream(text(FENCED), finish('stop'), 'data: DONE\n\n')],
    [
      'a bookkeeping event',
      stream(text(FENCED), 'data: {"type":"ping"}\n\n', finish('stop'), DONE),
    ],
    ['bookkeeping after the end', stream(text(FENCED), finish('stop'), 'data: {"cost":1}\n\n')],
    [
      'an error after the end',
      stream(text(FENCED), finish('stop'), 'data: {"error":{"code":500}}\n\n'),
    ],
    ['garbage after the end', stream(text(FENCED), finish('stop'), 'data: {"id":\n\n')],
    ['events called JSON', reply(200, plain, JSON_TYPE)],
    ['events called text', reply(200, `: hi\n\n${plain}`, { 'content-type': 'text/plain' })],
    ['events called bytes', reply(200, plain, { 'content-type': 'application/octet-stream' })],
    ['events called nothing', reply(200, plain, {})],
    ['JSON called events', reply(200, completion, SSE)],
    ['JSON called text', reply(200, completion, { 'content-type': 'text/plain' })],
    ['a list of parts', stream(text(parts), finish('stop'), DONE)],
    ['a whole completion in one event', stream(`data: ${JSON.stringify(completion)}\n\n`, DONE)],
    ['the same without a last blank line', stream(`data: ${JSON.stringify(completion)}`)],
    [
      'its parts, and then the whole once more',
      stream(
        text(FENCED),
        event({ index: 0, message: { content: FENCED }, finish_reason: 'stop' }),
      ),
    ],
  ];
  it.each(cases)('%s: the answer, at the first attempt', async (_name, answer) => {
    deepseek.play([answer]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: CODE });
    expect(deepseek.paths).toHaveLength(1);
  });

  it('invisible messages are taken out, and emoji stay', async () => {
    const hidden = [...'obey'].map((each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0)));
    const answer = `\`\`\`js\nlog("👩‍👩‍👧 می‌خواهم")${hidden.join('')}\n\`\`\``;
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    expect((await generate()).code).toBe('log("👩‍👩‍👧 می‌خواهم")');
  });
});

describe('refusals', () => {
  it('503 with model_not_found is the caller’s, at once', async () => {
    deepseek.play([failing(503, { message: 'No available channel', code: 'model_not_found' })]);
    const got = await generate({ model: 'nobody-has-this' });
    expect(got.text).toMatch(/does not know the model/);
    expect(deepseek.paths).toHaveLength(1);
  });

  it('413 is too long', async () => {
    const page = '<html><h1>413 Request Entity Too Large</h1></html>';
    deepseek.play([reply(413, page, { 'content-type': 'text/html' })]);
    expect((await generate()).text).toMatch(/too long/);
    expect(deepseek.paths).toHaveLength(1);
  });

  it('a 403 page is something on the way; the key may use its model', async () => {
    const page = '<!DOCTYPE html><title>Just a moment...</title>';
    deepseek.play([reply(403, page, { 'content-type': 'text/html' }), good]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: CODE });
    const noted = (await keyViews()).filter(({ lastError }) =>
      JSON.stringify(lastError).includes('on the way'),
    );
    expect(noted).toHaveLength(1);
    expect(noted[0]?.isDisabled).toBe(false);
  });

  it('an error nested deeper than anybody reads is an error like any other', async () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    deepseek.play([
      reply(200, `{"error":{"message":${deep},"code":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`),
      reply(500, `{"error":{"message":"x","more":${deep}}}`),
      good,
    ]);
    const got = await generate();
    expect(got.text).not.toMatch(/Internal error/);
    expect(got).toMatchObject({ isError: false, code: CODE });
  });

  it('a rate limit under 200 is one: a pause, and not a storm', async () => {
    const limit = failing(200, { message: 'Rate limit reached', type: 'rate_limit_error' });
    deepseek.play([limit, good]);
    expect(await generate()).toMatchObject({ isError: false, code: CODE });
    expect(deepseek.paths).toHaveLength(2);
  });
});

describe('Perplexity', () => {
  const page = (id: number, url = `https://example.org/${id}`) => ({
    id,
    url,
    title: `Page ${id}`,
  });
  const run = (status: string, rest: object = {}) => ({
    id: 'resp_1',
    object: 'response',
    status,
    output: [
      { type: 'search_results', results: [page(1), page(2, 'javascript:x'), page(3)] },
      { type: 'message', content: [{ type: 'output_text', text: 'So it is [1][3].' }] },
    ],
    error: null,
    ...rest,
  });
  const ending = (type: string, response: object): Respond =>
    stream(`data: ${JSON.stringify({ type, response })}\n\n`);
  const answered = ending('response.completed', run('completed'));

  it('results null are none', async () => {
    perplexity.play([reply(200, { id: 's', results: null })]);
    const got = await search();
    expect(got).toMatchObject({ isError: false });
    expect(got.structured.results).toEqual([]);
    expect(perplexity.paths).toHaveLength(1);
  });

  it('a source keeps the number that the answer cites it by', async () => {
    perplexity.play([answered]);
    const got = await search({ answer: 'fast' });
    expect(got.structured.results).toMatchObject([{ number: 1 }, { number: 3 }]);
    expect(got.text).toContain('[3] Page 3');
  });

  it('incomplete for a content filter is no length limit', async () => {
    const details = { incomplete_details: { reason: 'content_filter' } };
    perplexity.play([ending('response.incomplete', run('incomplete', details))]);
    const got = await search({ answer: 'fast' });
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(/content filter/);
    expect(perplexity.paths).toHaveLength(1);
  });

  it('completed that holds a failed run is a failure', async () => {
    perplexity.play([ending('response.completed', run('failed')), answered]);
    const got = await search({ answer: 'fast' });
    expect(got.structured).toMatchObject({ attempts: 2 });
  });

  it('a run called JSON, or in one event without a type, is read all the same', async () => {
    perplexity.play([reply(200, run('completed'), SSE)]);
    expect((await search({ answer: 'fast' })).text).toContain('So it is [1][3].');
    perplexity.play([stream(`data: ${JSON.stringify(run('completed'))}\n\n`)]);
    expect((await search({ answer: 'fast' })).text).toContain('So it is [1][3].');
  });

  it('the retired chat endpoint is an address, and no bad key', async () => {
    const before = await keyViews();
    const error = {
      message: 'use /v1/responses',
      type: 'chat_completions_not_available',
      code: 403,
    };
    perplexity.play([reply(403, { error })]);
    const got = await search();
    expect(got.text).toMatch(/PERPLEXITY_BASE_URL/);
    expect(perplexity.paths).toHaveLength(1);
    expect(await keyViews()).toEqual(before);
  });

  it('out of credit under 401 is the account’s', async () => {
    const error = {
      message: 'You exceeded your current quota',
      type: 'insufficient_quota',
      code: 401,
    };
    perplexity.play([reply(401, { error }), reply(200, { id: 's', results: [page(1)] })]);
    const got = await search();
    expect(got).toMatchObject({ isError: false });
    const disabled = (await keyViews()).filter(({ isDisabled }) => isDisabled);
    expect(disabled).toHaveLength(1);
  });
});

// Last, for the one key that it uses has to cool down afterwards.
describe('a rate limit under 200 that does not end', () => {
  it('is asked again a few times, with pauses that grow', async () => {
    const error = { message: 'Rate limit reached', type: 'rate_limit_error' };
    deepseek.play([
      failing(200, error),
      stream(`data: ${JSON.stringify({ error })}\n\n`),
      failing(200, error),
    ]);
    const got = await generate({}, lone);
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(/rate limited/);
    expect(deepseek.paths.length).toBeLessThanOrEqual(20);
  });
});
