import { request } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PATIENT, until } from '../../lab/until.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openKeyPage, type TakenKeys } from '../../src/http/key-page/key-page-server.ts';
import { builtPageFolder } from '../../src/http/page-files.ts';

const ABOUT = {
  provider: 'DeepSeek',
  keysUrl: 'https://platform.deepseek.com/api_keys',
  place: '/home/ada/<b>store</b>.json',
  command: 'keypool-mcp keys add DEEPSEEK_API_KEY',
};
const STORED: TakenKeys = {
  ok: true,
  stored: [{ name: 'DEEPSEEK_API_KEY', keyId: 'abc123', detail: 'balance 1.00 USD' }],
};

async function open(
  take: (text: string) => Promise<TakenKeys> = () => Promise.resolve(STORED),
  openMs = 60_000,
) {
  const page = await openKeyPage({
    about: ABOUT,
    take,
    openMs,
    pageFolder: builtPageFolder(),
    redact: (text) => text,
    logger: silentLogger,
  });
  onTestFinished(() => page.close());
  const { origin } = new URL(page.url);
  const put = (key: string, headers: Record<string, string> = { origin }): Promise<Response> =>
    fetch(page.url, { method: 'POST', body: new URLSearchParams({ key }), headers });
  return { ...page, origin, put };
}

/** A request as no fetch would send it. */
function raw(url: string, method: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end(body);
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the page for a missing key', () => {
  it('has an address of 256 random bits, and another one each time', async () => {
    const [one, other] = [await open(), await open()];
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/key\/[\w-]{43}$/);
    expect(new URL(one.url).pathname).not.toBe(new URL(other.url).pathname);
  });

  it('says what it is for, runs no script, is kept and framed by nobody and tells no referrer', async () => {
    const { url } = await open();
    const answer = await fetch(url);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain('Add a DeepSeek key');
    expect(text).toContain('autocomplete="off"');
    expect(text).not.toContain('<script');
    expect(text).not.toContain('<b>store');
    expect(text).not.toContain(new URL(url).pathname);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    });
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self'");
    expect(policy).not.toContain('script-src');
  });

  it('takes keys once, and is closed after that', async () => {
    const take = vi.fn(() => Promise.resolve(STORED));
    const { put, url } = await open(take);
    const answer = await put('one\ntwo');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('DEEPSEEK_API_KEY');
    expect(take).toHaveBeenCalledExactlyOnceWith('one\ntwo');
    expect((await put('three')).status).toBe(410);
    expect((await fetch(url)).status).toBe(410);
    expect(take).toHaveBeenCalledOnce();
  });

  it('says why something was not taken, and may be tried again', async () => {
    let tries = 0;
    const { put } = await open(() => {
      tries++;
      return Promise.resolve(tries === 1 ? { ok: false, problem: 'That is <none>.' } : STORED);
    });
    const refused = await put('x');
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('That is &lt;none&gt;.');
    expect((await put('y')).status).toBe(200);
  });

  it('judges one thing at a time', async () => {
    let isJudging = false;
    let finish: (taken: TakenKeys) => void = () => {};
    const { put } = await open(
      () =>
        new Promise((resolve) => {
          isJudging = true;
          finish = resolve;
        }),
    );
    const first = put('one');
    await until('the first is judged', () => isJudging);
    expect((await put('two')).status).toBe(409);
    finish(STORED);
    expect((await first).status).toBe(200);
  });

  it('is closed when its time is over, and when nobody wants it', async () => {
    const late = await open(undefined, 30);
    await expect.poll(async () => (await fetch(late.url)).status, PATIENT).toBe(410);
    expect((await late.put('x')).status).toBe(410);
    const unwanted = await open();
    unwanted.close();
    expect((await fetch(unwanted.url)).status).toBe(410);
  });

  it.each([
    ['another path', { path: `/key/${'A'.repeat(43)}` }, 404],
    ['no path', { path: '/' }, 404],
    ['the dashboard', { path: '/dashboard' }, 404],
    ['the API', { path: '/api/keys' }, 404],
    ['a name that was rebound', { host: 'evil.example' }, 403],
    ['a name with the right port', { host: 'evil.example:PORT' }, 403],
  ])(
    'gives nothing to %s',
    async (_what, { path, host }: { path?: string; host?: string }, status) => {
      const { url, origin } = await open();
      const asked = path === undefined ? url : `${origin}${path}`;
      const headers = host === undefined ? {} : { host: host.replace('PORT', new URL(url).port) };
      expect((await raw(asked, 'GET', headers)).status).toBe(status);
    },
  );

  it.each([
    ['from another page', { origin: 'https://evil.example' }, 403],
    ['from another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['from a frame without an origin', { origin: 'null' }, 403],
    ['from a frame of another page', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    [
      'from the page itself, which sends no origin',
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      200,
    ],
    ['from no browser', {}, 200],
  ])('answers a form %s', async (_from, headers: Record<string, string>, status) => {
    const take = vi.fn(() => Promise.resolve(STORED));
    const { url } = await open(take);
    const answer = await raw(url, 'POST', { ...FORM, ...headers }, 'key=x');
    expect(answer.status).toBe(status);
    expect(take).toHaveBeenCalledTimes(status === 200 ? 1 : 0);
  });

  it.each([
    ['JSON', 'POST', { 'content-type': 'application/json' }, '{"key":"x"}', 415],
    ['a file', 'POST', { 'content-type': 'multipart/form-data; boundary=x' }, '--x--', 415],
    ['a flood', 'POST', FORM, `key=${'x'.repeat(300_000)}`, 413],
    ['a method of another kind', 'DELETE', {}, '', 405],
  ])('answers %s', async (_what, method, headers: Record<string, string>, body, status) => {
    const { url } = await open();
    expect((await raw(url, method, headers, body)).status).toBe(status);
  });
});
