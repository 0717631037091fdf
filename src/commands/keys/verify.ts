import { CommandError, KeyStoreError, PROVIDER_NAMES, type Provider } from '../../base/errors.ts';
import { keysBeside } from '../../base/keys/environment-keys.ts';
import { keyId } from '../../base/keys/key-id.ts';
import { providerOf } from '../../base/keys/key-names.ts';
import { type Config, loadConfig } from '../../config.ts';
import { checkName } from '../../secrets/names.ts';
import { createKeyProbe, type KeyCheck } from '../../upstream/verify.ts';
import { createFetch } from '../../upstream/wire/http.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { networkOf } from '../composition/home/network.ts';
import { openConfiguredStore } from '../composition/keys/open-store.ts';
import { table } from '../terminal/table.ts';

interface Subject {
  readonly name: string;
  readonly value: string;
  readonly source: 'store' | 'environment';
}

interface Checked extends Subject, KeyCheck {
  readonly provider: Provider;
}

/** How a verdict is called in the table. */
const VERDICTS = {
  ok: 'ok',
  invalid_key: 'bad',
  no_credit: 'no credit',
  unknown: 'not known',
} as const;

/** What the pool would use: the store's keys, then those of the environment that it lacks. */
async function subjects(config: Config, reload: () => Config): Promise<Subject[]> {
  const found = new Map<string, Subject>();
  try {
    const store = await openConfiguredStore(config, reload);
    for (const { name } of store.list()) {
      found.set(name, { name, value: store.get(name), source: 'store' });
    }
  } catch (error) {
    // Keys from the environment alone need no store.
    const isMissing = error instanceof KeyStoreError && error.code === 'missing';
    if (!isMissing || config.storeNamed || config.environmentKeys.keys.size === 0) throw error;
  }
  const beside = keysBeside(config.environmentKeys, (name) => found.has(name));
  for (const [name, value] of beside) found.set(name, { name, value, source: 'environment' });
  return [...found.values()];
}

function choose(all: readonly Subject[], name: string | undefined): Subject[] {
  if (name === undefined) {
    const checkable = all.filter((subject) => providerOf(subject.name) !== null);
    if (checkable.length > 0) return checkable;
    throw new CommandError('there is no DeepSeek or Perplexity key to check', {
      hint: 'add one: keypool-mcp keys add DEEPSEEK_API_KEY',
    });
  }
  const named = all.find((subject) => subject.name === name);
  if (named === undefined) {
    checkName(name);
    throw new CommandError('there is no key of that name', {
      hint: 'keypool-mcp keys list shows the names',
    });
  }
  if (providerOf(name) !== null) return [named];
  throw new CommandError(`${name} cannot be checked: its provider is not known here`, {
    hint: 'only DEEPSEEK_API_KEY… and PERPLEXITY_API_KEY… can be',
  });
}

/** All at once: each asks for a few bytes, and none takes longer than 15 seconds. */
async function checkAll(config: Config, chosen: readonly Subject[]): Promise<Checked[]> {
  const probe = createKeyProbe({
    deepseekBaseUrl: config.deepseekBaseUrl,
    perplexityBaseUrl: config.perplexityBaseUrl,
    fetch: createFetch(networkOf(config, tell)),
  });
  const { signal } = new AbortController();
  const checks = chosen.map(async (subject) => {
    const provider = providerOf(subject.name) ?? 'deepseek';
    return { ...subject, provider, ...(await probe(provider, subject.value, signal)) };
  });
  return Promise.all(checks);
}

function asJson(key: Checked) {
  return {
    name: key.name,
    key_id: keyId(key.value),
    provider: key.provider,
    source: key.source,
    verdict: key.verdict,
    detail: key.detail,
  };
}

function asRow(key: Checked): string[] {
  const source = key.source === 'store' ? '' : ' (from the environment)';
  return [
    key.name,
    keyId(key.value),
    PROVIDER_NAMES[key.provider],
    VERDICTS[key.verdict],
    `${key.detail}${source}`,
  ];
}

async function run(input: CommandInput): Promise<number> {
  const load = (): Config => loadConfig(input.flags, input.env);
  const config = load();
  const all = await subjects(config, load);
  const checked = await checkAll(config, choose(all, input.positionals[0]));
  if (input.values.json === true) print(JSON.stringify(checked.map(asJson), null, 2));
  else print(table(['NAME', 'KEY ID', 'PROVIDER', 'VERDICT', 'DETAIL'], checked.map(asRow)));
  const bad = checked.filter((key) => key.verdict !== 'ok');
  if (bad.length === 0) return 0;
  if (bad.some((key) => key.verdict === 'invalid_key')) {
    tell(
      'A bad key: get a new one from its provider, then keypool-mcp keys add NAME with the same name.',
    );
  }
  if (bad.some((key) => key.verdict === 'no_credit')) {
    tell('No credit: top up the account, or add a key of another account.');
  }
  if (bad.some((key) => key.verdict === 'unknown')) {
    tell('Not known: the provider gave no verdict. keypool-mcp doctor shows base URLs and proxy.');
  }
  return 1;
}

export const command: Command = {
  help: `Asks each provider about its keys, all at once: DeepSeek for the balance, which costs nothing,
Perplexity by a search with one result. Ends with 1 when any key is not good.`,
  options: {
    json: {
      type: 'boolean',
      about: 'for programs: an array of {name, key_id, provider, source, verdict, detail}',
    },
  },
  arguments: [{ name: 'NAME', isOptional: true }],
  run,
};
