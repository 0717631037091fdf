import { PROVIDER_NAMES, type Provider } from '../../base/errors.ts';
import { nameProblem, providerOf } from '../../base/keys/key-names.ts';
import { type ValueFit, valueFitOf, valueProblem } from '../../base/keys/key-values.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { checkName } from '../../secrets/names.ts';
import { type Command, type CommandInput, print } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

const FIT_WORDS: Readonly<Record<ValueFit, (title: string) => string>> = {
  own: (title) => `that of a ${title} key`,
  near: (title) => `begins as a ${title} key does, and is of another length`,
  unknown: (title) => `not that of a ${title} key`,
  foreign: () => 'that of another provider',
};

interface Description {
  readonly name: string;
  readonly masked: string;
  readonly key_id: string;
  readonly provider: Provider | null;
  /** Why the pool does not use it; null when it does. */
  readonly unused: string | null;
  readonly form: string | null;
  readonly account: string | null;
  /** ISO 8601. */
  readonly created: string | null;
  /** Other names with the same value. */
  readonly same_as: readonly string[];
}

function unusedReason(name: string, value: string): string | null {
  const provider = providerOf(name);
  if (provider !== null) return valueProblem(name, value);
  return nameProblem(name) ?? 'the pool uses DEEPSEEK_API_KEY… and PERPLEXITY_API_KEY… only';
}

function describe(store: KeyStore, name: string): Description {
  const value = store.get(name);
  const entry = store.list().find((each) => each.name === name);
  const provider = providerOf(name);
  return {
    name,
    masked: entry?.masked ?? '…',
    key_id: entry?.keyId ?? '',
    provider,
    unused: unusedReason(name, value),
    form:
      provider === null ? null : FIT_WORDS[valueFitOf(provider, value)](PROVIDER_NAMES[provider]),
    account: entry?.account ?? null,
    created: entry?.createdAt ?? null,
    same_as: store
      .list()
      .map((each) => each.name)
      .filter((other) => other !== name && store.get(other) === value),
  };
}

function asRows(key: Description): string[] {
  const rows: ReadonlyArray<readonly [string, string | null]> = [
    ['Name', key.name],
    ['Value', key.masked],
    ['Key id', key.key_id],
    ['Provider', key.provider === null ? null : PROVIDER_NAMES[key.provider]],
    ['Form', key.form],
    ['In the pool', key.unused === null ? 'yes' : `no: ${key.unused}`],
    ['Account', key.account ?? 'none named'],
    ['Created', key.created ?? 'not known'],
    ['Same value', key.same_as.length === 0 ? null : key.same_as.join(', ')],
  ];
  return rows.flatMap(([title, text]) => (text === null ? [] : [`${title.padEnd(13)}${text}`]));
}

async function run(input: CommandInput): Promise<number> {
  const [name = ''] = input.positionals;
  const store = await openStoreOf(input);
  if (!store.has(name)) checkName(name);
  const key = describe(store, name);
  if (input.values.json === true) print(JSON.stringify(key, null, 2));
  else for (const row of asRows(key)) print(row);
  return 0;
}

export const command: Command = {
  help: `Shows everything that is known about a key but its value: its key id, whether its form fits, whether
the pool uses it, its account, its date, and whether the same value stands under another name.`,
  options: {
    json: {
      type: 'boolean',
      about:
        'for programs: {name, masked, key_id, provider, unused, form, account, created, same_as}',
    },
  },
  arguments: [{ name: 'NAME' }],
  run,
};
