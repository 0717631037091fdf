/**
 * Upstreams that the simulator is too well behaved for, before the built program: one server of it,
 * many odd answers. What counts is what the client gets, how often the upstream was asked for it,
 * and what it did to the keys.
 */

import { afterAll, beforeAll } from 'vitest';
import { canarySecret } from '../../../../lab/canary.ts';
import { callTool, connect, type Session, textOf } from '../../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../../lab/program/test-home.ts';
import { OddUpstream } from './odd-upstream.ts';

const KEYS_EACH = 12;
const TIMES = { KEYPOOL_CALL_TIMEOUT_MS: '20000', KEYPOOL_IDLE_TIMEOUT_MS: '4000' } as const;

type Arguments = Readonly<Record<string, unknown>>;

interface Got {
  readonly isError: boolean;
  readonly text: string;
  readonly code: unknown;
  readonly structured: Arguments;
}

interface KeyView {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly lastError: unknown;
}

interface OddStage {
  readonly deepseek: OddUpstream;
  readonly perplexity: OddUpstream;
  readonly generate: (args?: Arguments) => Promise<Got>;
  /** With one key alone, from which no call is taken for being slower than another. */
  readonly generateAlone: () => Promise<Got>;
  readonly search: (args?: Arguments) => Promise<Got>;
  /** Not the states: a pause that ends meanwhile changes one. */
  readonly keyViews: () => Promise<KeyView[]>;
}

async function call({ client }: Session, name: string, args: Arguments): Promise<Got> {
  const result = await callTool(client, name, args);
  const structured = result.structuredContent ?? {};
  return {
    isError: result.isError === true,
    text: textOf(result),
    code: structured.code,
    structured,
  };
}

async function keyViewsOf({ client }: Session): Promise<KeyView[]> {
  const { contents } = await client.readResource({ uri: 'keypool://status' });
  const [content] = contents;
  const body = content !== undefined && 'text' in content ? content.text : '{}';
  const { providers } = JSON.parse(String(body));
  return providers.flatMap(({ keys }: { keys: Array<Record<string, unknown>> }) =>
    keys.map(({ name, state, lastError }) => ({
      name: String(name),
      isDisabled: state === 'disabled',
      lastError,
    })),
  );
}

async function environment(deepseek: OddUpstream, perplexity: OddUpstream) {
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
  return env;
}

/** Starts with the tests of the file that calls it, and ends with them. */
export function oddStage(): OddStage {
  const deepseek = new OddUpstream();
  const perplexity = new OddUpstream();
  let home: Home;
  let session: Session;
  let lone: Session;
  beforeAll(async () => {
    const env = await environment(deepseek, perplexity);
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
  const generate = (on: Session, args: Arguments): Promise<Got> =>
    call(on, 'deepseek_generate_code', { prompt: 'Write the answer', ...args });
  return {
    deepseek,
    perplexity,
    generate: (args = {}) => generate(session, args),
    generateAlone: () => generate(lone, {}),
    search: (args = {}) => call(session, 'perplexity_search', { query: 'tea', ...args }),
    keyViews: () => keyViewsOf(session),
  };
}
