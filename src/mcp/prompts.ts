/**
 * One prompt, so that people can start a generation from their client's menu; and completion of
 * its arguments, which is where MCP lets a server offer model names.
 */

import { cleanLine } from '../tools/clean-text.ts';
import type { ServerHost } from './server-host.ts';

const NAME = 'generate_code';

export const PROMPTS = [
  {
    name: NAME,
    title: 'Generate code with DeepSeek',
    description: 'Has the assistant write code through deepseek_generate_code.',
    arguments: [
      { name: 'task', description: 'What to write', required: true },
      { name: 'language', description: 'Programming language', required: false },
      { name: 'model', description: 'DeepSeek model id', required: false },
    ],
  },
];

const LANGUAGES = [
  ...['bash', 'c', 'c++', 'c#', 'css', 'dart', 'elixir', 'go', 'haskell', 'html', 'java'],
  ...['javascript', 'json', 'kotlin', 'lua', 'php', 'python', 'r', 'ruby', 'rust', 'scala'],
  ...['sql', 'swift', 'typescript', 'yaml', 'zig'],
];

interface PromptMessage {
  [key: string]: unknown;
  role: 'user';
  content: { [key: string]: unknown; type: 'text'; text: string };
}

export interface PromptResult {
  [key: string]: unknown;
  messages: PromptMessage[];
}

type Arguments = Readonly<Record<string, string | undefined>>;

/** @returns null for an unknown prompt, a string for what is wrong with its arguments */
export function promptOf(name: string, args: Arguments): PromptResult | string | null {
  if (name !== NAME) return null;
  const task = args.task?.trim() ?? '';
  if (task === '') return 'task is missing';
  const settings = [
    ...(args.language ? [`language ${cleanLine(args.language, 40)}`] : []),
    ...(args.model ? [`model ${cleanLine(args.model, 100)}`] : []),
  ];
  const using = settings.length === 0 ? '' : ` with ${settings.join(' and ')}`;
  const text = `Use the tool deepseek_generate_code${using} for this task, with the code it needs to know as context:\n\n${task}`;
  return { messages: [{ role: 'user', content: { type: 'text', text } }] };
}

export interface Completion {
  [key: string]: unknown;
  values: string[];
  total: number;
  hasMore: boolean;
}

/** Values of a prompt's argument that begin with what is typed; none where we know nothing. */
export function completionOf(
  ref: { readonly type: string; readonly name?: string },
  argument: { readonly name: string; readonly value: string },
  host: ServerHost,
): Completion {
  const known = { model: host.models, language: LANGUAGES };
  const isOurs = ref.type === 'ref/prompt' && ref.name === NAME;
  const offered = isOurs
    ? (Object.entries(known).find(([name]) => name === argument.name) ?? [])
    : [];
  const typed = argument.value.toLowerCase();
  const values = (offered[1] ?? []).filter((value) => value.toLowerCase().startsWith(typed));
  return { values, total: values.length, hasMore: false };
}
