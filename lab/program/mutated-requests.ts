/** Requests of every kind with members changed, doubled and taken out, as no client should send them. */

import { pick, type Random } from '../../src/simulator/random.ts';

export type Params = Record<string, unknown>;
export type Request = readonly [method: string, params: Params];

const VALID: readonly [Request, ...Request[]] = [
  ['tools/call', { name: 'deepseek_generate_code', arguments: { prompt: 'add', language: 'go' } }],
  ['tools/call', { name: 'perplexity_search', arguments: { query: ['tea'], max_results: 3 } }],
  ['tools/list', { cursor: 'x' }],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'keypool://status' }],
  ['prompts/list', {}],
  ['prompts/get', { name: 'generate_code', arguments: { task: 'add' } }],
  [
    'completion/complete',
    {
      ref: { type: 'ref/prompt', name: 'generate_code' },
      argument: { name: 'model', value: 'deep' },
    },
  ],
  ['initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x' } }],
  ['logging/setLevel', { level: 'info' }],
  ['resources/subscribe', { uri: 'keypool://status' }],
  ['ping', {}],
];

const JUNK: readonly [unknown, ...unknown[]] = [
  null,
  true,
  -1,
  1.5,
  2 ** 53,
  '',
  'x',
  '\u0000',
  '\ud800',
  '__proto__',
  '["a","b"]',
  'x'.repeat(5_000),
  [],
  [null],
  [['x']],
  {},
  { toString: null },
];

/** Everything inside that can be changed: the record or list that holds it, and its name there. */
function places(holder: object): [holder: object, key: string][] {
  return Object.entries(holder).flatMap(([key, value]) => [
    [holder, key],
    ...(typeof value === 'object' && value !== null ? places(value) : []),
  ]);
}

/** @param meta what `_meta` holds besides; changed as everything is */
export function mutatedRequest(random: Random, meta: Params = {}): Request {
  const [method, valid] = pick(random, VALID);
  const params = structuredClone({ ...valid, _meta: meta });
  for (let changes = Math.floor(3 * random()); changes > 0; changes--) {
    const all = places(params);
    const [holder, key] = all[Math.floor(all.length * random())] ?? [params, 'extra'];
    if (random() < 0.25) Reflect.deleteProperty(holder, key);
    else Reflect.set(holder, random() < 0.1 ? `${key}2` : key, structuredClone(pick(random, JUNK)));
  }
  return [method, params];
}
