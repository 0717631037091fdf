/** One listener: reads a request, finds key and account, lets the provider's side answer. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Account, SimulatedKey } from './behaviour.ts';
import type { OpenCall } from './call-log.ts';
import { ClientGone, SimulatedExchange } from './exchange.ts';
import type { FaultStep } from './faults.ts';
import type { ProviderSide, Route } from './provider-side.ts';
import { hashText, type Random, seededRandom } from './random.ts';
import type { Reply } from './turn.ts';
import { isObject, parseWire, type WireObject } from './wire-json.ts';

/** What a listener needs of the simulator. */
export interface Backstage {
  readonly seed: number;
  readonly trapUrl: string;
  now(): number;
  /** Epoch milliseconds. */
  readonly wallNow: () => number;
  findKey(side: ProviderSide, secret: string): SimulatedKey | null;
  accountOf(key: SimulatedKey): Account;
  /** The fault that strikes this request: the provider's first, then the key's. */
  nextFault(side: ProviderSide, key: SimulatedKey, path: string, route: Route): FaultStep | null;
  openCall(call: OpenCall): void;
  violation(side: ProviderSide, path: string, what: string): void;
}

const FORBIDDEN_HEADERS = ['openai-organization', 'openai-project', 'cookie'] as const;

export function createListener(side: ProviderSide, backstage: Backstage): Server {
  const server = createServer((request, response) => {
    void serve(side, backstage, request, response);
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

async function serve(
  side: ProviderSide,
  backstage: Backstage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exchange = new SimulatedExchange(request, response);
  const secret = /^Bearer (\S+)$/.exec(exchange.header('authorization') ?? '')?.[1] ?? null;
  const key = secret === null ? null : backstage.findKey(side, secret);
  const call = openCall(side, backstage, exchange, key, secret);
  try {
    await answer(side, backstage, exchange, key, secret, call);
  } catch (error) {
    if (!(error instanceof ClientGone)) {
      // A mistake of the simulator's own must be seen, and not hang the client.
      call.fault = `simulator error: ${String(error)}`;
      exchange.reset();
    }
  } finally {
    call.status = exchange.status;
    call.aborted = exchange.clientLeft;
    call.endedAt = backstage.now();
  }
}

function openCall(
  side: ProviderSide,
  backstage: Backstage,
  exchange: SimulatedExchange,
  key: SimulatedKey | null,
  secret: string | null,
): OpenCall {
  const call: OpenCall = {
    provider: side.provider,
    keyId: secret === null ? null : secret.slice(-6),
    label: key?.label ?? 'unknown',
    account: key?.accountName ?? null,
    method: exchange.method,
    path: exchange.path,
    model: null,
    fault: 'ok',
    status: null,
    startedAt: backstage.now(),
    endedAt: null,
    inFlightAtArrival: 0,
    aborted: false,
    body: null,
    headers: exchange.headers(),
    responseId: null,
    completionTokens: 0,
  };
  backstage.openCall(call);
  return call;
}

async function answer(
  side: ProviderSide,
  backstage: Backstage,
  exchange: SimulatedExchange,
  key: SimulatedKey | null,
  secret: string | null,
  call: OpenCall,
): Promise<void> {
  const text = await exchange.readBody(side.maxBodyBytes);
  const parsed = text === null || text === '' ? null : parseWire(text);
  const body: WireObject = isObject(parsed) ? parsed : {};
  call.body = parsed ?? null;
  for (const what of violations(side, exchange, body)) {
    backstage.violation(side, exchange.path, what);
  }
  const seed = backstage.seed ^ hashText(`${call.label} ${text ?? ''} ${key?.calls ?? 0}`);
  const random = seededRandom(seed);
  exchange.addHeaders(side.responseHeaders(random));
  const refuse = async (fault: string, reply: Reply): Promise<void> => {
    call.fault = fault;
    await exchange.send(reply.status, reply.body, reply.headers);
  };

  const route = side.routeOf(exchange.method, exchange.path);
  if (route === null) return await refuse('not_found', side.notFound());
  if (key === null) {
    return await refuse('auth', side.unknownKey(route, secret?.slice(-4) ?? null));
  }
  if (text === null) return await refuse('too_large', side.tooLarge());
  if (exchange.method === 'POST' && text !== '' && !isObject(parsed)) {
    return await refuse('bad_json', side.badJson());
  }
  key.calls += 1;
  await admitted(side, backstage, { exchange, key, body, random, call, route });
}

function violations(side: ProviderSide, exchange: SimulatedExchange, body: WireObject): string[] {
  const headers = FORBIDDEN_HEADERS.filter((name) => exchange.header(name) !== null);
  return [...headers.map((name) => `header ${name}`), ...side.violationsOf(exchange.path, body)];
}

interface Arrival {
  readonly exchange: SimulatedExchange;
  readonly key: SimulatedKey;
  readonly body: WireObject;
  readonly random: Random;
  readonly call: OpenCall;
  readonly route: Route;
}

async function admitted(side: ProviderSide, backstage: Backstage, arrival: Arrival): Promise<void> {
  const { exchange, key, body, random, call, route } = arrival;
  const account = backstage.accountOf(key);
  const { path } = exchange;
  const model = side.modelOf(body, path);
  const isInference = route.kind === 'inference';
  call.model = isInference ? model : null;
  call.inFlightAtArrival = account.inFlight(model);
  if (isInference) {
    const units = side.unitsOf(body, path);
    const admission = account.admit(model, units, backstage.now());
    if (units !== null) exchange.addHeaders(account.rateHeaders(units, backstage.wallNow()));
    if (admission.verdict !== 'admitted') {
      call.fault = admission.verdict;
      const { afterMs = 0, retryAfter } = account.refusal;
      const reply = side.refuse(admission);
      if (afterMs > 0) await exchange.wait(afterMs);
      const pause = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      return await exchange.send(reply.status, reply.body, { ...reply.headers, ...pause });
    }
    account.enter(model);
  }
  try {
    const step = backstage.nextFault(side, key, path, route);
    call.fault = step?.fault ?? 'ok';
    if (step?.fault === 'never_answers') await exchange.silence();
    if (step?.fault === 'reset') return exchange.reset();
    if (step?.fault === 'slow_drip') exchange.drip(step.delayMs ?? 20);
    const { seed, wallNow } = backstage;
    const trapUrl = `${backstage.trapUrl}/${side.provider}`;
    await route.answer({
      exchange,
      key,
      account,
      body,
      step,
      random,
      seed,
      call,
      wallNow,
      trapUrl,
    });
  } finally {
    if (isInference) account.leave(model);
  }
}
