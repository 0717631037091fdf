/** Model names: retired ones are mapped with a notice, unknown ones passed through. */

import type { Thinking } from './chat.ts';

/** What DeepSeek serves by default. */
const CURRENT_MODEL = 'deepseek-flash';

/** What `GET /models` lists; offered by completion, not enforced. */
export const LISTED_MODELS = [CURRENT_MODEL, 'deepseek-v4-pro'] as const;

/** Answered with a 400 since 2026-07-24; assistants and old settings still name them. */
const RETIRED: ReadonlyMap<string, { readonly thinking: Thinking | null }> = new Map([
  ['deepseek-chat', { thinking: null }],
  ['deepseek-coder', { thinking: null }],
  // Who names the reasoning model wants reasoning.
  ['deepseek-reasoner', { thinking: 'high' }],
]);

export interface ModelChoice {
  readonly model: string;
  readonly thinking: Thinking;
  /** One sentence when the name was changed; else null. */
  readonly notice: string | null;
}

/** The model to ask, and how it shall think. */
export function chooseModel(named: string, thinking: Thinking): ModelChoice {
  const name = named.trim().toLowerCase();
  const retired = RETIRED.get(name);
  if (retired === undefined) return { model: named.trim(), thinking, notice: null };
  const chosen = thinking === 'off' ? (retired.thinking ?? thinking) : thinking;
  const how = chosen === thinking ? '' : ` with thinking "${chosen}"`;
  const notice = `DeepSeek has retired ${name}; ${CURRENT_MODEL}${how} was asked instead.`;
  return { model: CURRENT_MODEL, thinking: chosen, notice };
}
