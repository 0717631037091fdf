/** The Perplexity side: routes, and what each answers. */

import type { ProviderSide, Route } from '../provider-side.ts';
import { seededUuid } from '../random.ts';
import { jsonReply, type Turn } from '../turn.ts';
import { isText } from '../wire-json.ts';
import { agent, unlistedAgentField } from './perplexity-agent.ts';
import { search } from './perplexity-pages.ts';
import {
  invalidKey,
  invalidRequest,
  noCredit,
  perplexityError,
  perplexityFault,
  rateLimited,
} from './perplexity-replies.ts';
import { unlistedSearchField } from './perplexity-request.ts';

const CANCEL = /^\/v1\/(?:agent|responses)\/([^/]+)\/cancel$/;

function routeOf(method: string, path: string): Route | null {
  if (method !== 'POST') return null;
  if (path === '/search') return { kind: 'inference', answer: (turn) => guarded(turn, search) };
  if (path === '/v1/agent' || path === '/v1/responses') {
    return { kind: 'inference', answer: (turn) => guarded(turn, agent) };
  }
  const id = CANCEL.exec(path)?.[1];
  return id === undefined ? null : { kind: 'lookup', answer: (turn) => cancel(turn, id) };
}

async function guarded(turn: Turn, answer: (turn: Turn) => Promise<void>): Promise<void> {
  const reply = perplexityFault(turn);
  if (reply === null) return await answer(turn);
  await turn.exchange.wait(turn.key.behaviour.ttftMs ?? 0);
  await turn.exchange.send(reply.status, reply.body, reply.headers);
}

async function cancel(turn: Turn, id: string): Promise<void> {
  const reply = id.startsWith('resp_')
    ? jsonReply(200, { response_id: id, status: 'cancelling' })
    : perplexityError(404, 'not_found', 'response not found');
  await turn.exchange.send(reply.status, reply.body, reply.headers);
}

export const PERPLEXITY: ProviderSide = {
  provider: 'perplexity',
  maxBodyBytes: 32 * 1024 * 1024,
  routeOf,
  modelOf: (body, path) => {
    if (path === '/search') return 'search';
    return isText(body.preset) ? `agent-${body.preset}` : 'agent';
  },
  unitsOf: (body, path) => {
    if (path !== '/search') return { meter: 'agent', units: 1 };
    return { meter: 'search', units: Array.isArray(body.query) ? body.query.length : 1 };
  },
  responseHeaders: (random) => ({ 'x-request-id': seededUuid(random) }),
  unknownKey: invalidKey,
  refuse: (admission) => (admission.verdict === 'no_balance' ? noCredit() : rateLimited()),
  notFound: () => perplexityError(404, 'not_found', 'not found'),
  tooLarge: () => perplexityError(413, 'payload_too_large', 'request body too large'),
  badJson: () => invalidRequest('invalid request body: json: cannot unmarshal'),
  violationsOf: (path, body) => {
    if (path.includes('chat/completions')) return ['Sonar is past its end'];
    if (CANCEL.test(path)) return [];
    const unlisted = path === '/search' ? unlistedSearchField(body) : unlistedAgentField(body);
    return unlisted === null ? [] : [`unlisted field ${unlisted}`];
  },
};
