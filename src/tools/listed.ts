/** `tools/list` as committed; see describe.ts. Light: this is on the way to the first answer. */

import deepseekGenerateCode from './listing/deepseek-generate-code.json' with { type: 'json' };
import perplexitySearch from './listing/perplexity-search.json' with { type: 'json' };

/** Says again what a JSON import cannot say in types: that both schemas are of an object. */
function listed<Tool extends { inputSchema: object; outputSchema: object }>(tool: Tool) {
  return {
    ...tool,
    inputSchema: { ...tool.inputSchema, type: 'object' as const },
    outputSchema: { ...tool.outputSchema, type: 'object' as const },
  };
}

export const LISTED_TOOLS = [listed(deepseekGenerateCode), listed(perplexitySearch)];
