/**
 * Sends a chat completion that the openai package makes, without anything in it that would retry,
 * time out, print or read the environment. The answer comes back unread: the package's own stream
 * ends in silence when it was cut, and prints what it cannot parse.
 */

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
type Requested = Awaited<Parameters<Client['request']>[0]>;

/** Ends the package's work: the answer is not for it to read. */
const UNREAD = new Error('the answer is not read by the package');

const clients = new Map<string, Client>();

/** Sends what the package made of a posting, with headers of our own alone. */
async function send({ path, body, __metadata }: Requested): Promise<never> {
  const sending = __metadata?.sending;
  if (!(sending instanceof Sending)) throw UNREAD;
  const { secret, baseUrl, signal, fetch } = sending.posting;
  try {
    // None of the package's headers: OPENAI_CUSTOM_HEADERS would be among them.
    sending.answer = await fetch(`${baseUrl}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'accept-encoding': 'identity',
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    sending.broken = new TransportError(cause);
  }
  throw UNREAD;
}

/** One for all calls: making one costs more than the request. It never learns a key. */
async function clientFor(baseUrl: string): Promise<Client> {
  const { APIPromise, OpenAI } = await loadClient();
  const known = clients.get(baseUrl);
  if (known !== undefined) return known;
  class BareClient extends OpenAI {
    /** Where the package would add its headers and timer, log, and send again. */
    override request<T>(
      options: Parameters<Client['request']>[0],
    ): InstanceType<typeof APIPromise<T>> {
      return new APIPromise<T>(this, Promise.resolve(options).then(send));
    }
  }
  const client = new BareClient({
    apiKey: 'not told',
    baseURL: baseUrl,
    // Each of these would otherwise come from the environment, the last one on stdout.
    organization: null,
    project: null,
    logLevel: 'off',
    fetch: () => Promise.reject(UNREAD),
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
  try {
    const options = { __metadata: { sending } };
    await client.chat.completions.create(posting.body, options).asResponse();
  } catch (error) {
    if (sending.broken !== null) throw sending.broken;
    if (sending.answer === null) throw error;
  }
  if (sending.answer === null) throw UNREAD;
  return sending.answer;
}
