/**
 * Sends a chat completion with the openai package, with everything switched off in it that would
 * retry, time out, print or read the environment. Its answer comes back unread: the package's own
 * stream ends in silence when it was cut, and prints what it cannot parse.
 */

import { type Answer, TransportError } from './body.ts';
import type { ChatBody } from './chat-body.ts';
import type { Fetch } from './http.ts';

/** Node's longest timer; the deadline is the lease's. */
const NO_TIMEOUT_MS = 2_147_483_647;

interface Posting {
  readonly secret: string;
  readonly baseUrl: string;
  readonly body: ChatBody;
  readonly signal: AbortSignal;
  readonly fetch: Fetch;
}

let loaded: Promise<typeof import('openai')> | null = null;

/**
 * Imports the package: at the first call, for start-up must not pay for it, and before a key is
 * borrowed, since the time it takes is no key's slowness.
 */
export function loadClient(): Promise<typeof import('openai')> {
  loaded ??= import('openai');
  return loaded;
}

/** Loads what the first call would otherwise wait for, a tenth of a second and more. */
export async function prepareChat(): Promise<void> {
  await Promise.all([loadClient(), import('undici')]);
}

/** Ends the package's work on an answer that it must not read. */
class Unwanted extends Error {}

/** One posting on its way through the package, and what became of it. */
class Sending {
  readonly posting: Posting;
  answer: Answer | null = null;
  broken: TransportError | null = null;

  constructor(posting: Posting) {
    this.posting = posting;
  }
}

type Client = InstanceType<typeof import('openai').OpenAI>;

type RequestOptions = Parameters<Client['buildRequest']>[0];

const clients = new Map<string, Client>();

/** What the package takes for the answer: it looks at status and headers, and reads nothing. */
let unread: Response | null = null;

/** The package hands on to fetch what it was given for it. */
function sendingOf(init: RequestInit | undefined): Sending | null {
  const sending: unknown = init === undefined ? null : Reflect.get(init, 'sending');
  return sending instanceof Sending ? sending : null;
}

/** Sends what the package made, with headers of our own alone; its answer is kept from the package. */
async function send(_url: unknown, init?: RequestInit): Promise<Response> {
  const sending = sendingOf(init);
  if (sending === null) throw new Unwanted();
  const { secret, baseUrl, signal, fetch } = sending.posting;
  try {
    // None of the package's headers: OPENAI_CUSTOM_HEADERS would be among them.
    sending.answer = await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'accept-encoding': 'identity',
      },
      body: String(init?.body),
      signal,
    });
  } catch (cause) {
    sending.broken = new TransportError(cause);
    throw cause;
  }
  if (!sending.answer.ok) throw new Unwanted();
  unread ??= new Response();
  return unread;
}

/** One for all calls: making one costs more than the request. It never learns a key. */
async function clientFor(baseUrl: string): Promise<Client> {
  const { OpenAI } = await loadClient();
  const known = clients.get(baseUrl);
  if (known !== undefined) return known;
  const headers = new Headers();
  /** None of the package's headers is sent, and its timer and signal end nothing: none is made. */
  class BareClient extends OpenAI {
    override async buildRequest({ path, body, fetchOptions }: RequestOptions) {
      const req = { method: 'POST', headers, body: JSON.stringify(body), ...fetchOptions };
      return { req, url: this.baseURL + path, timeout: NO_TIMEOUT_MS };
    }

    protected override fetchWithAuth(url: unknown, init: RequestInit): Promise<Response> {
      return send(url, init);
    }
  }
  const client = new BareClient({
    apiKey: 'not told',
    baseURL: baseUrl,
    // Each of these would otherwise come from the environment, the last one on stdout.
    organization: null,
    project: null,
    logLevel: 'off',
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    fetch: send,
  });
  clients.set(baseUrl, client);
  return client;
}

/**
 * @returns the answer, whatever its status
 * @throws TransportError when none came
 */
export async function postChat(posting: Posting): Promise<Answer> {
  const client = await clientFor(posting.baseUrl);
  const sending = new Sending(posting);
  const fetchOptions = { redirect: 'manual' as const, sending };
  try {
    await client.chat.completions.create(posting.body, { fetchOptions }).asResponse();
  } catch (error) {
    // The package wraps errors by their wording; what fetch said is kept here instead.
    if (sending.broken !== null) throw sending.broken;
    if (sending.answer === null) throw error;
  }
  if (sending.answer === null) throw new Unwanted();
  return sending.answer;
}
