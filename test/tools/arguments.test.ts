import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/tools/arguments.ts';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';
import { perplexitySearch } from '../../src/tools/perplexity-search.ts';

const CODE = [
  [{}, 'prompt is missing'],
  [undefined, 'prompt is missing'],
  [{ prompt: '' }, 'prompt is empty; it takes 1 to 400,000 characters'],
  [{ prompt: ' \n ' }, 'prompt is empty; it takes 1 to 400,000 characters'],
  [{ prompt: 'x'.repeat(400_001) }, 'prompt has more than 400,000 characters'],
  [{ prompt: 7 }, 'prompt has to be a string'],
  [{ prompt: null }, 'prompt is missing'],
  [{ prompt: 'x', language: 'x'.repeat(41) }, 'language has more than 40 characters'],
  [{ prompt: 'x', context: 'x'.repeat(400_001) }, 'context has more than 400,000 characters'],
  [{ prompt: 'x', thinking: 'deep' }, 'thinking has to be one of off, low, high, max'],
  [{ prompt: 'x', temperature: 2.1 }, 'temperature has to be at most 2'],
  [{ prompt: 'x', temperature: -1 }, 'temperature has to be at least 0'],
  [{ prompt: 'x', temperature: '0' }, 'temperature has to be a number'],
  [{ prompt: 'x', max_tokens: 0 }, 'max_tokens has to be at least 1'],
  [{ prompt: 'x', max_tokens: 393_217 }, 'max_tokens has to be at most 393,216'],
  [{ prompt: 'x', max_tokens: 1.5 }, 'max_tokens has to be a whole number'],
  [
    { prompt: 'x', promt: 'y' },
    'unknown argument promt; this tool takes prompt, language, context, model, thinking, temperature, max_tokens',
  ],
  [[], 'the arguments have to be an object'],
  ['x', 'the arguments have to be an object'],
] as const;

const SEARCH = [
  [{}, 'query is missing'],
  [{ query: '' }, 'query is empty; it takes 1 to 2,000 characters'],
  [{ query: [] }, 'query has to have at least 1 entry'],
  [{ query: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'query has to have at most 5 entries'],
  [{ query: ['a', ''] }, 'query[1] is empty; it takes 1 to 2,000 characters'],
  [{ query: 5 }, 'query has to be a string or a list of strings'],
  [{ query: ['a', 5] }, 'query[1] has to be a string'],
  [{ query: 'x'.repeat(2_001) }, 'query has more than 2,000 characters'],
  [{ query: 'x', max_results: 21 }, 'max_results has to be at most 20'],
  [{ query: 'x', max_tokens_per_page: 63 }, 'max_tokens_per_page has to be at least 64'],
  [
    { query: 'x', country: 'USA' },
    'country has to be a two-letter country code (ISO 3166-1), such as US',
  ],
  [
    { query: 'x', search_language_filter: ['en', 'eng'] },
    'search_language_filter[1] has to be a two-letter language code (ISO 639-1), such as en',
  ],
  [
    { query: 'x', search_domain_filter: Array(21).fill('a.com') },
    'search_domain_filter has to have at most 20 entries',
  ],
  [
    { query: 'x', search_domain_filter: ['https://a.com'] },
    'search_domain_filter[0] has to be a domain such as example.com, or -example.com to leave it out, without https://',
  ],
  [
    { query: 'x', search_domain_filter: ['a.com', '-b.com'] },
    'search_domain_filter cannot mix domains to allow and domains to exclude; use one kind',
  ],
  [
    { query: 'x', search_recency_filter: 'week', search_after_date_filter: '2026-01-01' },
    'search_recency_filter cannot be combined with search_after_date_filter or search_before_date_filter; use one kind',
  ],
  [
    { query: 'x', search_after_date_filter: '01/02/2026' },
    'search_after_date_filter has to be a date in the form YYYY-MM-DD',
  ],
  [
    { query: 'x', search_before_date_filter: '2026-02-30' },
    'search_before_date_filter is no day of the calendar',
  ],
  [
    {
      query: 'x',
      search_after_date_filter: '2026-03-01',
      search_before_date_filter: '2026-02-01',
    },
    'search_after_date_filter has to be earlier than search_before_date_filter',
  ],
  [{ query: 'x', search_mode: 'news' }, 'search_mode has to be one of web, academic, sec'],
  [{ query: 'x', answer: 'none' }, 'answer has to be one of fast, low, medium, high'],
] as const;

describe('what is wrong with the arguments is one sentence', () => {
  it.each(CODE)('deepseek_generate_code %#', (raw, problem) => {
    expect(parseArguments(deepseekGenerateCode, raw)).toEqual({ ok: false, problem });
  });

  it.each(SEARCH)('perplexity_search %#', (raw, problem) => {
    expect(parseArguments(perplexitySearch, raw)).toEqual({ ok: false, problem });
  });

  it('never repeats what could be a secret or a flood', () => {
    const secret = 'sk-fake0123456789fake';
    const parsed = parseArguments(deepseekGenerateCode, {
      [secret]: 1,
      ['a'.repeat(5_000)]: 1,
      prompt: [secret],
      thinking: secret,
    });
    expect(JSON.stringify(parsed)).not.toContain('fake0123');
    expect(JSON.stringify(parsed).length).toBeLessThan(500);
  });
});

describe('limits', () => {
  it('count characters, not UTF-16 units', () => {
    const parsed = parseArguments(perplexitySearch, { query: '😀'.repeat(2_000) });
    expect(parsed.ok).toBe(true);
    expect(parseArguments(perplexitySearch, { query: '😀'.repeat(2_001) }).ok).toBe(false);
  });

  it('take everything at its edge', () => {
    const code = { prompt: 'x'.repeat(400_000), context: 'x'.repeat(400_000), max_tokens: 393_216 };
    expect(parseArguments(deepseekGenerateCode, { ...code, temperature: 2 }).ok).toBe(true);
    const search = { query: Array(5).fill('q'), max_results: 20, max_tokens_per_page: 8_192 };
    expect(parseArguments(perplexitySearch, search).ok).toBe(true);
  });
});

describe('a list as its JSON text', () => {
  it.each([
    ['query', '["a", "b"]', ['a', 'b']],
    ['query', ' ["a"]\n', ['a']],
    ['query', '[a] b', '[a] b'],
    ['query', '[1, 2]', '[1, 2]'],
    ['query', '["a", 2]', '["a", 2]'],
    ['query', '{"a": 1}', '{"a": 1}'],
    ['query', '"a"', '"a"'],
    ['search_domain_filter', '["a.example", "b.example"]', ['a.example', 'b.example']],
    ['search_language_filter', '["en"]', ['en']],
  ])('is read where a list may stand: %s %j', (name, given, expected) => {
    const parsed = parseArguments(perplexitySearch, { query: 'x', [name]: given });
    expect(parsed).toMatchObject({ ok: true, value: { [name]: expected } });
  });

  it('is judged as the list', () => {
    expect(parseArguments(perplexitySearch, { query: '["a","b","c","d","e","f"]' })).toEqual({
      ok: false,
      problem: 'query has to have at most 5 entries',
    });
  });

  it('stays a text where one is meant', () => {
    const parsed = parseArguments(deepseekGenerateCode, { prompt: '["a"]' });
    expect(parsed).toMatchObject({ ok: true, value: { prompt: '["a"]' } });
  });
});

describe('null', () => {
  it.each([
    [deepseekGenerateCode, { prompt: 'x' }],
    [perplexitySearch, { query: 'x' }],
  ])('for every argument that may be left out leaves it out: %#', (tool, required) => {
    const names = Object.keys(tool.input.shape).filter((name) => !(name in required));
    const nulls = Object.fromEntries(names.map((name) => [name, null]));
    const plain = parseArguments(tool, required);
    expect(plain.ok).toBe(true);
    expect(parseArguments(tool, { ...nulls, ...required })).toEqual(plain);
  });
});
