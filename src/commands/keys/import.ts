import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError, ConfigError, DiskError } from '../../base/errors.ts';
import { maskValue } from '../../base/keys/key-id.ts';
import { decodeText } from '../../base/text/decode-text.ts';
import { presentValue } from '../../config.ts';
import { readWholeFile } from '../../disk/read-file.ts';
import { type ImportPlan, type PlannedKey, planImport } from '../../importing/plan.ts';
import { type KeysReading, readKeys } from '../../importing/read-keys.ts';
import { advice, type ImportOutcome, reportRows } from '../../importing/report.ts';
import { openSibling, parseSibling } from '../../secrets/fernet/sibling-format.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';
import { confirm, readStandardInput } from '../terminal/prompt.ts';
import { hanging } from '../terminal/wrap.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const HINT = 'give the path of a .env, JSON, YAML, TOML, CSV or text file, or - for standard input';

/** What the shell makes of `<(…)`: its other end is held by a program that was just started. */
const SHELL_PIPE = /^\/(?:dev|proc\/self)\/fd\/\d+$/;

async function readPipe(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path)) {
    const bytes: Buffer = chunk;
    chunks.push(bytes);
    length += bytes.length;
    if (length > MAX_BYTES)
      throw new ConfigError(`${path} is too large for a file of keys`, { hint: HINT });
  }
  return Buffer.concat(chunks, length);
}

/** The path is not repeated before it is known to be one: it may be a key in the wrong place. */
async function readFileOf(path: string): Promise<{ bytes: Uint8Array; isFile: boolean }> {
  try {
    if (SHELL_PIPE.test(path) && (await stat(path)).isFIFO()) {
      return { bytes: await readPipe(path), isFile: false };
    }
    return { bytes: (await readWholeFile(path, MAX_BYTES)).bytes, isFile: true };
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    const isMissing = cause.code === 'missing';
    throw new ConfigError(isMissing ? 'the file to import does not exist' : cause.message, {
      cause,
      hint: cause.code === 'unreadable' ? cause.hint : HINT,
    });
  }
}

interface Source {
  readonly reading: KeysReading;
  /** False where the keys were encrypted: nothing has to be deleted. */
  readonly isInClear: boolean;
}

/** What password managers write that is not read, and what they write instead. */
const EXPORTS: ReadonlyArray<readonly [string | RegExp, string, string]> = [
  [
    'PK\u0003\u0004',
    'is a zip archive',
    'from 1Password (.1pux) export as CSV instead; save a spreadsheet as CSV; of any other archive, give the file inside',
  ],
  [
    '\u0003\u00d9\u00a2\u009a',
    'is a KeePass database',
    'export it as XML or CSV: in KeePassXC with Database > Export, in KeePass with File > Export',
  ],
  [
    /^\s{0,9}\{\s{0,9}"encrypted"\s{0,9}:\s{0,9}true/,
    'is an encrypted export',
    'export it without a password, as CSV or JSON, and delete it afterwards',
  ],
];

/** @throws ConfigError for what is known and not read: its keys would be left alone without a word */
function refuseKnown(title: string, bytes: Uint8Array): void {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  const known = EXPORTS.find(([sign]) =>
    typeof sign === 'string' ? head.startsWith(sign) : sign.test(head),
  );
  if (known !== undefined) throw new ConfigError(`${title} ${known[1]}`, { hint: known[2] });
}

async function readSource(title: string, bytes: Uint8Array, encryptionKey: string | undefined) {
  refuseKnown(title, bytes);
  const text = decodeText(bytes)?.text;
  if (text === undefined) {
    throw new ConfigError(`${title} is not a text`, {
      hint: `${HINT}; export a vault of a password manager as CSV or JSON`,
    });
  }
  if (/^\s*\{[^}]*"format"\s*:\s*"keypool-store"/.test(text)) {
    throw new ConfigError(`${title} is a key store itself`, { hint: 'open it with --store' });
  }
  const sibling = parseSibling(text);
  if (sibling === null) return { reading: await readKeys(text), isInClear: true };
  const opened = Object.fromEntries(openSibling(sibling, encryptionKey));
  return { reading: await readKeys(JSON.stringify(opened, null, 1)), isInClear: false };
}

/** One by one on a terminal; all with --yes; none in a script. */
async function agreedOf(plan: ImportPlan, isYes: boolean, mayAsk: boolean): Promise<PlannedKey[]> {
  if (isYes) return [...plan.likely];
  const agreed: PlannedKey[] = [];
  if (!mayAsk) return agreed;
  for (const key of plan.likely) {
    const { name, value, line, reason } = key;
    const question = `Line ${line}: ${reason}. Add it as ${name} (${maskValue(value)})? [y/N] `;
    if (await confirm(question)) agreed.push(key);
  }
  return agreed;
}

/**
 * Stores what was agreed to, under the names that are free when it is written: another import may
 * have been quicker.
 */
async function storeKeys(
  store: KeyStore,
  { findings }: KeysReading,
  agreed: readonly PlannedKey[],
): Promise<Omit<ImportOutcome, 'isDryRun'>> {
  const values = new Set(agreed.map(({ value }) => value));
  let outcome = { plan: planImport(findings, new Map()), agreed };
  await store.putChosen((held) => {
    const plan = planImport(findings, held);
    outcome = { plan, agreed: plan.likely.filter(({ value }) => values.has(value)) };
    return [...plan.sure, ...outcome.agreed];
  });
  return outcome;
}

async function run(input: CommandInput): Promise<number> {
  const [argument = ''] = input.positionals;
  const isPiped = argument === '-';
  const title = isPiped ? 'standard input' : resolve(argument);
  const { bytes, isFile } = isPiped
    ? { bytes: await readStandardInput(MAX_BYTES), isFile: false }
    : await readFileOf(title);
  const source: Source = await readSource(title, bytes, presentValue(input.env.ENCRYPTION_KEY));
  const store = await openStoreOf(input);
  const stored = new Map(store.list().map(({ name }) => [name, store.get(name)]));
  const plan = planImport(source.reading.findings, stored);
  const found = plan.sure.length + plan.likely.length + plan.unchanged.length;
  if (found + plan.left.length === 0) {
    throw new CommandError(`no key was found in ${title}`, {
      hint: 'one key in a line, with its label: "DeepSeek API: …", or NAME=value',
    });
  }
  const isDryRun = input.values['dry-run'] === true;
  const isYes = input.values.yes === true;
  const mayAsk = !isPiped && !isDryRun && process.stdin.isTTY === true;
  const agreed = await agreedOf(plan, isYes, mayAsk);
  const done = isDryRun ? { plan, agreed } : await storeKeys(store, source.reading, agreed);
  const outcome = { ...done, isDryRun };
  for (const { verb, text } of reportRows(outcome)) print(hanging(verb, text));
  if (isDryRun) tell('Nothing was changed.');
  else if (source.isInClear && isFile) {
    const words = advice(title, source.reading, outcome);
    if (words !== '') tell(hanging('', words));
  }
  if (plan.likely.length > agreed.length && !mayAsk) {
    tell('The likely ones are added with --yes; on a terminal you are asked for each.');
  }
  return plan.sure.length + agreed.length + plan.unchanged.length > 0 ? 0 : 1;
}

export const command: Command = {
  help: `Reads NAME=value lines, JSON, YAML, TOML, tables, exports of password managers, and texts with labels
such as "DeepSeek API 2: sk-…". What is surely a key is added; what is likely one is asked for;
everything else that looks like a secret is left alone, and said by its line. Several keys of one
provider are numbered in order. A key that the store has already is never replaced. The file itself
is not changed. FILE may be - for standard input.`,
  options: {
    'dry-run': { type: 'boolean', about: 'show what would be done, and change nothing' },
    yes: { type: 'boolean', about: 'add the likely ones, too' },
  },
  arguments: [{ name: 'FILE|-', isFile: true }],
  run,
};
