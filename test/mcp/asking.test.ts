/** How a call asks for a missing key, message by message. */

import { describe, expect, it } from 'vitest';
import { KeyStoreError } from '../../src/base/errors.ts';
import { createLogger, type Logger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import type { KeyDesk, KeyPage } from '../../src/mcp/asking/key-desk.ts';
import type { ServerHost } from '../../src/mcp/server-host.ts';
import { fakeHost, later, Session } from './stdio-session.ts';

const URL_OF_PAGE = 'http://127.0.0.1:4711/key/secret';
const MODERN = '2026-07-28';

/** A host without a key until `put` is called, and a desk with one page after the other. */
function keyless(openedAt = 0) {
  let hasKey = false;
  let opened = 0;
  const { happened, happen } = later();
  const closed: string[] = [];
  const desk: KeyDesk = {
    callTimeoutMs: 2_000,
    advice: () => Promise.resolve('Do it by hand.'),
    open: () => {
      const id = `page${opened - closed.length === 0 ? ++opened : opened}`;
      const page: KeyPage = {
        id,
        url: `${URL_OF_PAGE}/${id}`,
        openedAt: openedAt === 0 ? performance.now() : openedAt,
        wait: (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve(false), { once: true });
            void happened.then(() => resolve(true));
          }),
        refuse: () => closed.push(id),
      };
      return Promise.resolve(page);
    },
  };
  const real = fakeHost();
  const host: ServerHost = {
    ...real,
    keyDesk: desk,
    clients: () =>
      hasKey
        ? real.clients()
        : Promise.reject(new KeyStoreError('missing', 'there is no key store', { hint: 'x' })),
  };
  const put = (): void => {
    hasKey = true;
    happen();
  };
  return { host, put, closed, opened: () => opened };
}

async function legacy(host: ServerHost, elicitation: object = { url: {} }, logger?: Logger) {
  const session = new Session(host, logger);
  const clientInfo = { name: 'test', version: '0' };
  const params = { protocolVersion: '2025-11-25', capabilities: { elicitation }, clientInfo };
  session.send({ id: 'init', method: 'initialize', params });
  await session.reply('init');
  session.send({ method: 'notifications/initialized' });
  session.call(1, 'deepseek_generate_code', { prompt: 'x' });
  return session;
}

const question = (session: Session) =>
  session.until(({ method }) => method === 'elicitation/create');

async function resultOf(session: Session, id = 1): Promise<Record<string, unknown>> {
  return (await session.reply(id)).result ?? {};
}

describe('elicitation of 2025-11-25', () => {
  it('asks with an address and an id, and says when it is done', async () => {
    const { host, put } = keyless();
    const session = await legacy(host);
    const asked = await question(session);
    expect(asked.params).toMatchObject({ mode: 'url', url: `${URL_OF_PAGE}/page1` });
    session.send({ id: asked.id, result: { action: 'accept' } });
    put();
    expect(await resultOf(session)).not.toHaveProperty('isError');
    const done = await session.until(
      ({ method }) => method === 'notifications/elicitation/complete',
    );
    expect(done.params).toEqual({ elicitationId: asked.params?.elicitationId });
    await session.close();
  });

  it.each([
    ['an error', { error: { code: -32_602, message: 'unsupported mode' } }],
    ['an answer of another kind', { result: { roots: [] } }],
    ['an action that there is not', { result: { action: 'perhaps' } }],
  ])('takes %s for a no', async (_what, answer) => {
    const { host, closed } = keyless();
    const session = await legacy(host);
    const { id } = await question(session);
    session.send({ id, ...answer });
    const result = await resultOf(session);
    expect(JSON.stringify(result)).toContain('There is no key store. Do it by hand.');
    expect(result.isError).toBe(true);
    expect(closed).toEqual(['page1']);
    await session.close();
  });

  it('is not led astray by answers to what nobody asked', async () => {
    const { host, put } = keyless();
    const session = await legacy(host);
    const asked = await question(session);
    session.send({ id: 4711, result: { action: 'decline' } });
    session.send({ id: 'x', error: { code: 1, message: 'no' } });
    put();
    expect(await resultOf(session)).not.toHaveProperty('isError');
    expect(asked.id).not.toBe(4711);
    await session.close();
  });

  it('takes its question back when the call is cancelled', async () => {
    const { host } = keyless();
    const session = await legacy(host);
    const { id } = await question(session);
    session.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
    const taken = await session.until(({ method }) => method === 'notifications/cancelled');
    expect(taken.params).toMatchObject({ requestId: id });
    await session.close();
  });

  it.each([
    ['a person', 5_000, 'The page for a missing key was declined'],
    ['no person', 0, 'nobody was asked'],
  ])('logs whether %s declined', async (_who, agoMs, words) => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      redactor: new Redactor(),
      write: (line) => lines.push(line),
    });
    const { host } = keyless(agoMs === 0 ? 0 : performance.now() - agoMs);
    const session = await legacy(host, { url: {} }, logger);
    const { id } = await question(session);
    session.send({ id, result: { action: 'decline' } });
    await resultOf(session);
    expect(lines.join('\n')).toContain(words);
    expect(lines.join('\n')).not.toContain('/key/');
    await session.close();
  });

  it.each([
    ['an empty capability, which means forms', {}],
    ['forms', { form: {} }],
    ['an address that is no object', { url: true }],
  ])('asks nobody who declares %s', async (_what, elicitation) => {
    const { host, opened } = keyless();
    const session = await legacy(host, elicitation);
    expect(await resultOf(session)).toMatchObject({ isError: true });
    expect(opened()).toBe(0);
    await session.close();
  });
});

describe('input_required of 2026-07-28', () => {
  const meta = (elicitation: object) => ({
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation },
  });
  const call = (session: Session, id: number, inputResponses?: object): void => {
    const params = {
      name: 'deepseek_generate_code',
      arguments: { prompt: 'x' },
      _meta: meta({ url: {} }),
      ...(inputResponses !== undefined && { inputResponses }),
    };
    session.send({ id, method: 'tools/call', params });
  };

  it('answers the call with the question, and goes on when it is made again', async () => {
    const { host, put } = keyless();
    const session = new Session(host);
    call(session, 1);
    const result = await resultOf(session);
    expect(result).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        key_page_page1: {
          method: 'elicitation/create',
          params: { mode: 'url', url: `${URL_OF_PAGE}/page1` },
        },
      },
    });
    call(session, 2, { key_page_page1: { action: 'accept' } });
    put();
    expect(await resultOf(session, 2)).toMatchObject({ resultType: 'complete' });
    await session.close();
  });

  it('asks again when the answer is about another page, or missing', async () => {
    const { host } = keyless();
    const session = new Session(host);
    call(session, 1, { key_page_other: { action: 'accept' } });
    expect(await resultOf(session)).toMatchObject({ resultType: 'input_required' });
    call(session, 2, {});
    expect(await resultOf(session, 2)).toMatchObject({ resultType: 'input_required' });
    await session.close();
  });

  it.each(['decline', 'cancel'])(
    'takes %s for a no, also about the page before',
    async (action) => {
      const { host, closed } = keyless();
      const session = new Session(host);
      call(session, 1, { key_page_page1: { action } });
      expect(await resultOf(session)).toMatchObject({ isError: true, resultType: 'complete' });
      expect(closed).toEqual(['page1']);
      call(session, 2, { key_page_page1: { action } });
      expect(await resultOf(session, 2)).toMatchObject({ isError: true });
      await session.close();
    },
  );
});
