/** What a person does by hand about a missing key: the command for this very server, and its page. */

import type { Provider } from '../../base/errors.ts';
import { FAMILIES } from '../../base/keys/key-names.ts';
import { NAME } from '../../base/version.ts';
import type { Config, Environment, GlobalFlags } from '../../config.ts';
import { settingFlags } from '../command-line/setting-flags.ts';

export interface AdviceOptions {
  readonly config: Config;
  readonly flags: GlobalFlags;
  readonly env: Environment;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`;
}

/** The line to type, with the flags that lead to the store of this server. */
export function commandLine(words: string, { flags, env }: AdviceOptions): string {
  const { logLevel: _irrelevant, ...which } = flags;
  return [NAME, words, ...settingFlags(which, env).map(quoted)].join(' ');
}

export function addCommand(provider: Provider, options: AdviceOptions): string {
  return commandLine(`keys add ${FAMILIES[provider]}`, options);
}

/** Another server of this home may have its page open. */
async function pageAdvice(options: AdviceOptions): Promise<string> {
  const { readRecord, recordPath } = await import('../http/http-record.ts');
  if (readRecord(recordPath(options.config.home)) === null) return '';
  return ` A page that takes keys is there, too: ${commandLine('dashboard', options)} opens it.`;
}

/** The next step in sentences; nothing of what is configured but paths. */
export async function adviceFor(
  provider: Provider,
  missing: 'store' | 'key',
  options: AdviceOptions,
): Promise<string> {
  const add = addCommand(provider, options);
  const page = await pageAdvice(options);
  if (missing === 'key') return `Add one: ${add}.${page}`;
  return `Run ${commandLine('init', options)}, then ${add}; or name another file with --store.${page}`;
}
