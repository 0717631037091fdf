import type { ToolContext } from '../../src/tools/tool.ts';
import type { GenerateRequest, GenerateResult } from '../../src/upstream/deepseek/chat.ts';
import type { SearchRequest, SearchResult } from '../../src/upstream/perplexity/search.ts';

/** What a tool asked its upstreams for, and a context that answers with what a test prepared. */
export function fakeContext(answers: { generated?: GenerateResult; found?: SearchResult }): {
  readonly context: ToolContext;
  readonly generate: GenerateRequest[];
  readonly search: SearchRequest[];
} {
  const generate: GenerateRequest[] = [];
  const search: SearchRequest[] = [];
  const context: ToolContext = {
    signal: new AbortController().signal,
    session: 'test',
    priority: 'interactive',
    onProgress: () => {},
    deepseek: {
      generate: (request) => {
        generate.push(request);
        const { generated } = answers;
        return generated === undefined
          ? Promise.reject(new Error('unused'))
          : Promise.resolve(generated);
      },
    },
    perplexity: {
      search: (request) => {
        search.push(request);
        const { found } = answers;
        return found === undefined ? Promise.reject(new Error('unused')) : Promise.resolve(found);
      },
    },
  };
  return { context, generate, search };
}
