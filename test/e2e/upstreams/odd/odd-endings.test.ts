/** Answers that end in ways of their own, and what becomes of them. */

import { describe, expect, it } from 'vitest';
import { oddStage } from './odd-stage.ts';
import {
  CODE,
  DONE,
  event,
  FENCED,
  failing,
  finish,
  good,
  half,
  type Respond,
  reply,
  SSE,
  stream,
  text,
} from './odd-upstream.ts';

const { deepseek, generate, generateAlone, keyViews } = oddStage();

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
    expect(await generateAlone()).toMatchObject({ code: CODE });
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
    expect(await generateAlone()).toMatchObject({ code: CODE });
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
