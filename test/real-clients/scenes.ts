/** What the clients' model is to see: one call each, and what has to stand in what it is given. */

export interface Scene {
  readonly name: string;
  readonly tool: string;
  readonly args: object;
  /** Which keys the pool has. */
  readonly keys: 'good' | 'rejected' | 'none';
  /** Everything here has to stand in it. */
  readonly expected: readonly RegExp[];
}

export const END_OF_LONG_CODE = 'the end of a long program';
/** In the prompt of the call that is to be answered with 30,000 tokens. */
export const LONG = 'a very long program';

export const SCENES: readonly Scene[] = [
  {
    name: 'an answer',
    tool: 'deepseek_generate_code',
    args: { prompt: 'Make a slug of a title.', language: 'python' },
    keys: 'good',
    expected: [/def slugify/, /DEEPSEEK_API_KEY/],
  },
  {
    name: 'sources',
    tool: 'perplexity_search',
    args: { query: 'node streams', max_results: 3 },
    keys: 'good',
    expected: [/https?:\/\//, /"number":1|\[1\]/],
  },
  {
    name: 'an error',
    tool: 'perplexity_search',
    args: { query: 'node streams' },
    keys: 'rejected',
    expected: [/Perplexity/, /PERPLEXITY_API_KEY/],
  },
  {
    name: 'no key',
    tool: 'deepseek_generate_code',
    args: { prompt: 'Make a slug of a title.' },
    keys: 'none',
    expected: [/keypool-mcp/],
  },
  {
    name: '30,000 tokens',
    tool: 'deepseek_generate_code',
    args: { prompt: `Write ${LONG}.` },
    keys: 'good',
    // Whole, or with the address to read the rest at; Qwen Code keeps it in a file and says which.
    expected: [
      new RegExp(`${END_OF_LONG_CODE}|keypool://results/[\\w-]+|Full output saved to`),
      /truncated|characters of code/,
    ],
  },
];

/** 120,000 characters in a fence. */
export function longAnswer(): string {
  const lines = Array.from({ length: 1_500 }, (_, at) => `const value${at} = '${'x'.repeat(60)}';`);
  return ['```js', ...lines, `// ${END_OF_LONG_CODE}`, '```'].join('\n');
}

/** The prompt that makes the scripted model call. */
export function promptOf({ tool, args }: Scene): string {
  return `[[call ${tool} ${Buffer.from(JSON.stringify(args)).toString('base64url')}]]`;
}
