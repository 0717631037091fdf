/** The tools, in the order clients show them. */

import { deepseekGenerateCode } from './deepseek-generate-code.ts';
import { perplexitySearch } from './perplexity-search.ts';
import type { Tool } from './tool.ts';

export const TOOLS: readonly Tool[] = [deepseekGenerateCode, perplexitySearch];
