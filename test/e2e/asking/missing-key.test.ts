/** A call that finds no key asks for one, the person puts it in, and the same call goes on. */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Answerer,
  connectEliciting,
  type Eliciting,
  putIn,
} from '../../../lab/program/eliciting.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import { callTool, noise, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import type { Era } from '../../../src/mcp/era.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const ERAS: readonly Era[] = ['legacy', 'modern'];
const CODE = { prompt: 'a function that adds two numbers' };
const GENERATE = 'deepseek_generate_code';

/** Far more than a call's time in these tests, far less than the page's or the usual call's. */
const PATIENCE_MS = 25_000;

const newKey = (): string => `sk-${randomBytes(16).toString('hex')}`;
const newPerplexityKey = (): string => `pplx-${randomBytes(24).toString('hex')}`;

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator();
  home = await createHome({ simulator });
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

/** A key that the upstream knows. */
function knownKey(): string {
  const key = newKey();
  simulator.addKey(key, { provider: 'deepseek', ttftMs: 5 });
  return key;
}

/** A person who puts this text in and then says that the page was opened, or the other way round. */
function putter(text: string): Answerer {
  return async ({ url }) => {
    expect((await putIn(url, text)).status).toBe(200);
    return 'accept';
  };
}

function writtenFile(): string {
  const path = join(home.tmp, 'file');
  writeFileSync(path, 'somebody else\n');
  return path;
}

async function names(): Promise<string[]> {
  const { stdout } = await run(['keys', 'list', '--json'], home.env);
  return JSON.parse(stdout).map(({ name }: { name: string }) => name);
}

function quiet({ program }: Eliciting): void {
  if (program !== null) expect(noise(program.lines)).toEqual([]);
}

describe.each(ERAS)('a call without a key, %s', (era) => {
  it('leads to a page, stores what is put in there encrypted, and goes on', async () => {
    const key = knownKey();
    const eliciting = await connectEliciting(home.env, { era, answer: putter(key) });
    const result = await callTool(eliciting.client, GENERATE, CODE);
    expect(result.isError, textOf(result)).toBeUndefined();
    expect(result.structuredContent).toMatchObject({ key: 'DEEPSEEK_API_KEY' });
    expect(eliciting.shown).toHaveLength(1);
    expect(eliciting.shown[0]?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/key\/[\w-]{43}$/);
    expect(await names()).toEqual(['DEEPSEEK_API_KEY']);
    if (era === 'legacy') expect(eliciting.done).toEqual(eliciting.asked);
    quiet(eliciting);
  });

  it('goes on when the key comes after the client said that the page is open', async () => {
    const key = knownKey();
    const answer: Answerer = ({ url }) => {
      setTimeout(() => void putIn(url, key), 400);
      return Promise.resolve('accept');
    };
    const eliciting = await connectEliciting(home.env, { era, answer });
    const result = await callTool(eliciting.client, GENERATE, CODE);
    expect(result.isError, textOf(result)).toBeUndefined();
  });

  it.each(['decline', 'cancel'] as const)(
    'answers with today’s sentence after %s',
    async (action) => {
      const answer: Answerer = () => Promise.resolve(action);
      const eliciting = await connectEliciting(home.env, { era, answer });
      const result = await callTool(eliciting.client, GENERATE, CODE);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('keypool-mcp keys add DEEPSEEK_API_KEY');
      const url = eliciting.shown[0]?.url ?? '';
      expect((await fetch(url)).status).toBe(410);
      expect(textOf(result)).not.toContain(url);
      const again = await callTool(eliciting.client, GENERATE, CODE);
      expect(again.isError).toBe(true);
      expect(eliciting.shown[1]?.url).not.toBe(url);
    },
  );

  it('has one page for calls that come at once, and serves them all', async () => {
    const key = knownKey();
    const answer: Answerer = async ({ url }) => {
      const { status } = await putIn(url, key);
      expect([200, 409, 410]).toContain(status);
      return 'accept';
    };
    const { client, shown } = await connectEliciting(home.env, { era, answer });
    const results = await Promise.all(
      [1, 2, 3].map((at) => callTool(client, GENERATE, { prompt: `task ${at}` })),
    );
    expect(results.map(({ isError }) => isError)).toEqual([undefined, undefined, undefined]);
    expect(new Set(shown.map(({ url }) => url)).size).toBe(1);
    if (era === 'legacy') expect(shown).toHaveLength(1);
  });

  it('ends within its deadline when nobody fills the page in, and says that it is still open', async () => {
    const answer: Answerer = () => Promise.resolve('accept');
    const env = { ...home.env, KEYPOOL_CALL_TIMEOUT_MS: '3000' };
    const { client, shown } = await connectEliciting(env, { era, answer });
    const startedAt = performance.now();
    const said: Array<string | undefined> = [];
    const result = await callTool(client, GENERATE, CODE, {
      onprogress: ({ message }) => said.push(message),
    });
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS);
    expect(said).toContain('waiting for a key on the page that was opened');
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('still open');
    // What is put in after that is there for the next call.
    expect((await putIn(shown[0]?.url ?? '', knownKey())).status).toBe(200);
    expect((await callTool(client, GENERATE, CODE)).isError).toBeUndefined();
  });

  it('goes on as well when the key comes by another way, and closes the page', async () => {
    const answer: Answerer = async () => {
      await run(['init'], home.env);
      const { code } = await run(['keys', 'add', 'DEEPSEEK_API_KEY'], home.env, {
        input: knownKey(),
      });
      expect(code).toBe(0);
      return 'accept';
    };
    const { client, shown } = await connectEliciting(home.env, { era, answer });
    const result = await callTool(client, GENERATE, CODE);
    expect(result.isError, textOf(result)).toBeUndefined();
    expect((await fetch(shown[0]?.url ?? '')).status).toBe(410);
  });

  it('asks for Perplexity’s key without spending on a search to check it', async () => {
    const key = newPerplexityKey();
    simulator.addKey(key, { provider: 'perplexity' });
    const { client, shown } = await connectEliciting(home.env, { era, answer: putter(key) });
    const result = await callTool(client, 'perplexity_search', { query: 'release notes' });
    expect(result.isError, textOf(result)).toBeUndefined();
    expect(shown[0]?.message).toContain('Perplexity');
    expect(simulator.calls.filter(({ provider }) => provider === 'perplexity')).toHaveLength(1);
  });

  it('does the same over HTTP on this machine, and not on an address that others reach', async () => {
    const key = knownKey();
    const server = await startHttp(home.env);
    const local = await connectEliciting(home.env, { era, answer: putter(key), url: server.url });
    const result = await callTool(local.client, GENERATE, CODE);
    expect(result.isError, textOf(result)).toBeUndefined();
    const open = await startHttp(home.env, ['--host', '0.0.0.0']);
    const never: Answerer = () => Promise.reject(new Error('was asked'));
    const remote = await connectEliciting(home.env, { era, answer: never, url: open.url });
    const refused = await callTool(remote.client, 'perplexity_search', { query: 'x' });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('keypool-mcp keys add PERPLEXITY_API_KEY');
    expect(remote.shown).toEqual([]);
  });

  it('asks again for a key when every one that is stored is rejected', async () => {
    const old = newKey();
    await run(['init'], home.env);
    await run(['keys', 'add', 'DEEPSEEK_API_KEY'], home.env, { input: old });
    const { client, shown } = await connectEliciting(home.env, { era, answer: putter(knownKey()) });
    const result = await callTool(client, GENERATE, CODE);
    expect(result.isError, textOf(result)).toBeUndefined();
    expect(result.structuredContent).toMatchObject({ key: 'DEEPSEEK_API_KEY_2' });
    expect(shown).toHaveLength(1);
  });

  it.each([
    ['a place that takes no files', () => '/proc/keypool'],
    ['a home that is a file', () => writtenFile()],
  ])('asks nobody where the store could not be written: %s', async (_what, folder) => {
    const never: Answerer = () => Promise.reject(new Error('was asked'));
    const env = { ...home.env, KEYPOOL_HOME: folder() };
    const { client, shown } = await connectEliciting(env, { era, answer: never });
    const result = await callTool(client, GENERATE, CODE);
    expect(result.isError).toBe(true);
    expect(shown).toEqual([]);
  });

  it('asks no client that only has forms', async () => {
    const never: Answerer = () => Promise.reject(new Error('was asked'));
    const options = { era, answer: never, elicitation: { form: {} } };
    const { client, shown } = await connectEliciting(home.env, options);
    const result = await callTool(client, GENERATE, CODE);
    expect(textOf(result)).toContain('keypool-mcp init');
    expect(shown).toEqual([]);
  });
});

describe('two servers of one home', () => {
  it('lose neither of the keys that are put in on both pages at once', async () => {
    const keys = [knownKey(), knownKey()];
    const urls: string[] = [];
    const clients = await Promise.all(
      keys.map((key) =>
        connectEliciting(home.env, {
          era: 'legacy',
          answer: async ({ url }) => {
            urls.push(url);
            await vi.waitFor(() => expect(urls).toHaveLength(2), { timeout: 10_000 });
            const { status } = await putIn(url, key);
            expect([200, 410]).toContain(status);
            return 'accept';
          },
        }),
      ),
    );
    const results = await Promise.all(
      clients.map(({ client }) => callTool(client, GENERATE, CODE)),
    );
    expect(results.map(({ isError }) => isError)).toEqual([undefined, undefined]);
    expect(await names()).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2']);
  });
});

describe('a client of 2025-11-25', () => {
  it('that never answers gets the sentence within the deadline, and is not kept waiting again', async () => {
    const answer: Answerer = () => new Promise(() => {});
    const env = { ...home.env, KEYPOOL_CALL_TIMEOUT_MS: '3000' };
    const { client, shown } = await connectEliciting(env, { era: 'legacy', answer });
    const startedAt = performance.now();
    expect((await callTool(client, GENERATE, CODE)).isError).toBe(true);
    expect((await callTool(client, GENERATE, CODE)).isError).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS);
    expect(shown).toHaveLength(1);
  });

  it('that cancels the call while another one waits leaves that one its question', async () => {
    const key = knownKey();
    let asked = 0;
    const answer: Answerer = async ({ url }, signal) => {
      asked++;
      if (asked === 1) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'cancel';
      }
      expect((await putIn(url, key)).status).toBe(200);
      return 'accept';
    };
    const { client } = await connectEliciting(home.env, { era: 'legacy', answer });
    const abort = new AbortController();
    const first = callTool(client, GENERATE, CODE, { signal: abort.signal }).catch(() => 'left');
    await vi.waitFor(() => expect(asked).toBe(1), { timeout: 10_000 });
    const second = callTool(client, GENERATE, { prompt: 'two' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    abort.abort();
    expect(await first).toBe('left');
    expect((await second).isError).toBeUndefined();
  });

  it('that leaves takes the page with it', async () => {
    const answer: Answerer = () => Promise.resolve('accept');
    const { client, shown, program } = await connectEliciting(home.env, { era: 'legacy', answer });
    const call = callTool(client, GENERATE, CODE).catch(() => 'left');
    await vi.waitFor(() => expect(shown).toHaveLength(1), { timeout: 10_000 });
    await client.close();
    expect(await call).toBe('left');
    expect(await program?.exit).toMatchObject({ code: 0 });
    await expect(fetch(shown[0]?.url ?? '')).rejects.toThrow();
  });

  it('with a token of its own adds no keys', async () => {
    await run(['init'], home.env);
    const { stdout } = await run(['clients', 'add', 'laptop'], home.env);
    const token = /kpc1_[\w-]+|\S{40,}/.exec(stdout)?.[0] ?? '';
    const server = await startHttp(home.env);
    const never: Answerer = () => Promise.reject(new Error('was asked'));
    const options = { era: 'legacy' as const, answer: never, url: server.url, token };
    const { client, shown } = await connectEliciting(home.env, options);
    expect((await callTool(client, GENERATE, CODE)).isError).toBe(true);
    expect(shown).toEqual([]);
  });
});

describe('the sentence where nobody can be asked', () => {
  it('names the command for this very store, and the page of a server that runs', async () => {
    await run(['init'], home.env);
    await startHttp(home.env);
    const never: Answerer = () => Promise.reject(new Error('was asked'));
    const options = { era: 'legacy' as const, answer: never, elicitation: { form: {} } };
    const { client } = await connectEliciting(home.env, options);
    const text = textOf(await callTool(client, GENERATE, CODE));
    expect(text).toContain(`keypool-mcp keys add DEEPSEEK_API_KEY --home ${home.folder}.`);
    expect(text).toContain('keypool-mcp dashboard');
    const added = await run(
      ['keys', 'add', 'DEEPSEEK_API_KEY', '--home', home.folder],
      { HOME: home.env.HOME ?? '' },
      { input: knownKey() },
    );
    expect(added.code, added.stderr).toBe(0);
    await vi.waitFor(
      async () => expect((await callTool(client, GENERATE, CODE)).isError).toBeUndefined(),
      { timeout: 10_000, interval: 300 },
    );
  });
});
