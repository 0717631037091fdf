/**
 * Sends a chat completion by the openai package: a client with our `fetch`, without retries, that
 * prints nothing and takes nothing from the environment. The answer comes back unread, for the
 * package would read the body of a refusal without a bound and keep what broke a connection to
 * itself, and its stream ends in silence when it was cut.
 */

import type { OpenAI } from 'openai';
import { type Answer, TransportError } from '../wire/body.ts';
import type { Fetch } from '../wire/http.ts';
import type { ChatBody } from './chat-body.ts';

interface Posting {
  readonly secret: string;
  readonly baseUrl: string;
  readonly body: ChatBody;
  readonly signal: AbortSignal;
  readonly fetch: Fetch;
}

type Package = typeof import('openai');

/** Longer than any call may take: the time for a call is bounded elsewhere, body included. */
const NO_TIMEOUT_MS = 24 * 3_600_000;

let loaded: Promise<Package> | null = null;

/**
 * Imports the package: at the first call, for start-up must not pay for it, and before a key is
 * borrowed, since the time it takes is no key's slowness.
 */
export function loadClient(): Promise<Package> {
  loaded ??= import('openai');
  return loaded;
}

/** Loads what the first call would otherwise wait for, a tenth of a second and more. */
export async function prepareChat(): Promise<void> {
  await Promise.all([loadClient(), import('undici')]);
  // The package's request begins with these, and node loads its own fetch when they are touched.
  outcomes.has(new Response(null, { headers: new Headers() }));
}

/** What came of a request, by the response that the package hands on: an empty success to it. */
const outcomes = new WeakMap<Response, Answer | TransportError>();

function unread(outcome: Answer | TransportError): Response {
  const response = new Response();
  outcomes.set(response, outcome);
  return response;
}

/** Sends what the package made of a posting, with headers of ours alone. */
function sendBy(fetch: Fetch): NonNullable<ConstructorParameters<typeof OpenAI>[0]>['fetch'] {
  return async (url, init = {}) => {
    const { body, signal, headers: given } = init;
    const authorization = given instanceof Headers ? given.get('authorization') : null;
    if (typeof body !== 'string' || !signal || authorization === null) {
      throw new TypeError('the openai package made a request of another form');
    }
    const headers = {
      authorization,
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'accept-encoding': 'identity',
    };
    return fetch(String(url), { method: 'POST', headers, body, signal }).then(unread, (cause) =>
      unread(new TransportError(cause)),
    );
  };
}

/** By way out and address. */
const clients = new WeakMap<Fetch, Map<string, OpenAI>>();

/** One for all calls: making one costs more than the request. It never learns a key. */
async function clientFor({ fetch, baseUrl }: Posting): Promise<OpenAI> {
  const { OpenAI } = await loadClient();
  const ofFetch = clients.get(fetch) ?? new Map<string, OpenAI>();
  clients.set(fetch, ofFetch);
  const client =
    ofFetch.get(baseUrl) ??
    new OpenAI({
      baseURL: baseUrl,
      fetch: sendBy(fetch),
      maxRetries: 0,
      timeout: NO_TIMEOUT_MS,
      logLevel: 'off',
      // Each of these would otherwise come from the environment.
      apiKey: 'given with each request',
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
    });
  ofFetch.set(baseUrl, client);
  return client;
}

/**
 * @returns the answer, whatever its status
 * @throws TransportError when none came; the package's own error for an abort before sending
 */
export async function postChat(posting: Posting): Promise<Answer> {
  const { body, secret, signal } = posting;
  const client = await clientFor(posting);
  const headers = { authorization: `Bearer ${secret}` };
  const response = await client.chat.completions.create(body, { headers, signal }).asResponse();
  const outcome = outcomes.get(response);
  if (outcome === undefined) throw new TypeError('the openai package answered by itself');
  if (outcome instanceof TransportError) throw outcome;
  return outcome;
}
