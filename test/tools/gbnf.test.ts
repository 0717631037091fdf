/** The listed schemas as the grammar that llama.cpp makes of them: llama-server, LM Studio and more. */

import { describe, expect, it } from 'vitest';
import { LISTED_TOOLS } from '../../src/tools/listed.ts';
import { grammarOf, UnreadableSchema } from './gbnf.ts';

function schemaOf(name: string): unknown {
  return LISTED_TOOLS.find((tool) => tool.name === name)?.inputSchema;
}

describe('the grammar of a listed tool', () => {
  it.each([
    ['deepseek_generate_code', { prompt: 'x' }],
    [
      'deepseek_generate_code',
      { prompt: 'a "quoted" task\n', language: 'c++', thinking: 'low', max_tokens: 393216 },
    ],
    ['perplexity_search', { query: 'x' }],
    [
      'perplexity_search',
      {
        query: ['a', 'b'],
        max_results: 20,
        country: 'US',
        search_domain_filter: ['-example.com'],
        search_language_filter: ['en', 'de'],
        search_after_date_filter: '2026-02-28',
        search_mode: 'sec',
        answer: 'fast',
      },
    ],
  ])('of %s takes %j', (name, args) => {
    expect(JSON.stringify(args)).toMatch(grammarOf(schemaOf(name)));
  });

  it.each([
    ['deepseek_generate_code', {}],
    ['deepseek_generate_code', { prompt: 'x', other: 1 }],
    ['perplexity_search', { query: [] }],
    ['perplexity_search', { query: 'x', country: 'USA' }],
    ['perplexity_search', { query: 'x', search_before_date_filter: 'today' }],
    ['perplexity_search', { query: 'x', search_mode: 'images' }],
  ])('of %s has no way to say %j', (name, args) => {
    expect(JSON.stringify(args)).not.toMatch(grammarOf(schemaOf(name)));
  });

  it.each([
    { type: 'string', pattern: '^\\d{4}$' },
    { type: 'string', pattern: '^[^\\s:]+$' },
    { type: 'string', pattern: '^[a-z]{0,251}$' },
    { type: 'string', pattern: 'a' },
    { type: 'string', pattern: '^(?:a|b)$' },
    { type: 'string', maxLength: 400_000 },
    { type: 'array', items: { type: 'string', maxLength: 2_000 } },
    { type: 'string', format: 'date' },
  ])('cannot be made of %j', (schema) => {
    expect(() => grammarOf(schema)).toThrow(UnreadableSchema);
  });
});
