/** `tools/list` as committed; see describe.ts. Light: this is on the way to the first answer. */

import deepseekGenerateCode from './listing/deepseek-generate-code.json' with { type: 'json' };
import perplexitySearch from './listing/perplexity-search.json' with { type: 'json' };

export const LISTED_TOOLS = [deepseekGenerateCode, perplexitySearch] as const;
