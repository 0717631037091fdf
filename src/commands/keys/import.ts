import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError, ConfigError } from '../../base/errors.ts';
import { maskValue } from '../../base/key-id.ts';
import { loadConfig, presentValue } from '../../config.ts';
import { openSibling, parseSibling } from '../../secrets/fernet/sibling-format.ts';
import { type ParsedImport, parseImport, type Skipped } from '../../secrets/import-parser.ts';
import { type ImportPlan, planImport } from '../../secrets/import-plan.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openConfiguredStore } from '../composition/open-store.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** The path is not repeated before it is known to be one: it may be a key in the wrong place. */
async function readSource(path: string): Promise<string> {
  const hint = 'give the path of a .env, JSON or text file';
  const info = await stat(path).catch(() => null);
  if (info === null) throw new ConfigError('the file to import does not exist', { hint });
  if (!info.isFile()) throw new ConfigError(`${path} is not a file`, { hint });
  if (info.size > MAX_BYTES)
    throw new ConfigError(`${path} is too large for a file of keys`, { hint });
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigError(`cannot read ${path}`, { cause, hint: 'check its permissions' });
  });
  // PowerShell's `>` writes UTF-16.
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le');
  if (bytes.includes(0)) throw new ConfigError(`${path} is not a text`, { hint });
  return bytes.toString('utf8');
}

interface Source {
  readonly parsed: ParsedImport;
  readonly isInClear: boolean;
}

function parseSource(path: string, text: string, encryptionKey: string | undefined): Source {
  if (/^\s*\{[^}]*"format"\s*:\s*"keypool-store"/.test(text)) {
    throw new ConfigError(`${path} is a key store itself`, { hint: 'open it with --store' });
  }
  const sibling = parseSibling(text);
  const parsed =
    sibling === null
      ? parseImport(text)
      : parseImport(JSON.stringify(Object.fromEntries(openSibling(sibling, encryptionKey))));
  if (parsed !== null) return { parsed, isInClear: sibling === null };
  throw new CommandError(`${path} is JSON that is cut off, damaged, or has a name twice`, {
    hint: 'repair the file; nothing was imported',
  });
}

function place({ name, line }: Skipped): string {
  if (name === null) return `line ${line}`;
  return line === 0 ? name : `${name} (line ${line})`;
}

function report(plan: ImportPlan, isDryRun: boolean): void {
  const verb = isDryRun ? 'would add' : 'added';
  for (const { name, value } of plan.added)
    print(`${verb.padEnd(9)}  ${name} (${maskValue(value)})`);
  for (const name of plan.unchanged) print(`unchanged  ${name}`);
  for (const item of plan.skipped) print(`skipped    ${place(item)}: ${item.reason}`);
  const { added, unchanged, skipped } = plan;
  const sum = `${added.length} ${isDryRun ? 'to add' : 'added'}`;
  print(`${sum}, ${unchanged.length} unchanged, ${skipped.length} skipped`);
}

async function run(input: CommandInput): Promise<number> {
  const path = resolve(input.positionals[0] ?? '');
  const text = await readSource(path);
  const { parsed, isInClear } = parseSource(path, text, presentValue(input.env.ENCRYPTION_KEY));
  const store = await openConfiguredStore(loadConfig(input.flags, input.env));
  const stored = new Map(store.list().map(({ name }) => [name, store.get(name)]));
  const plan = planImport(parsed, stored);
  if (plan.added.length === 0 && plan.unchanged.length === 0 && plan.skipped.length === 0) {
    throw new CommandError(`no key was found in ${path}`, {
      hint: 'one key in a line, with its label: "DeepSeek API: …", or NAME=value',
    });
  }
  const isDryRun = input.values['dry-run'] === true;
  if (!isDryRun) await store.putAll(plan.added);
  report(plan, isDryRun);
  if (isDryRun) tell('Nothing was changed.');
  else if (isInClear && plan.added.length + plan.unchanged.length > 0) {
    tell(`${path} still holds the keys in clear: delete it, and empty the trash.`);
  }
  return plan.added.length + plan.unchanged.length > 0 ? 0 : 1;
}

export const command: Command = {
  help: `Reads NAME=value lines, JSON, or a text with labels such as "DeepSeek API 2: sk-…". Several keys of
one provider are numbered in order. A key that the store has already is never replaced. The file
itself is not changed.

  --dry-run   show what would be added, unchanged and skipped`,
  options: { 'dry-run': { type: 'boolean' } },
  positionals: [1, 1],
  run,
};
