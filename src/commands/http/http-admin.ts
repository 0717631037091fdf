/** What the page may do, done with the store and the upstreams. */

import { KeyStoreError } from '../../base/errors.ts';
import { keysBeside } from '../../base/keys/environment-keys.ts';
import { providerOf } from '../../base/keys/key-names.ts';
import { unwrapValue } from '../../base/keys/key-values.ts';
import type {
  Admin,
  ImportResult,
  KeyListing,
  KeyPutResult,
  NewKey,
  VerifyVerdict,
} from '../../http/api/admin.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { checkGivenValue, checkName } from '../../secrets/names.ts';
import { openConfiguredStore } from '../composition/keys/open-store.ts';
import type { ServedEnvironment } from '../composition/served-environment.ts';
import { MoneyDesk } from './money-desk.ts';

/** The store to change; one that appeared beside keys of the environment is opened now. */
async function openStore(served: ServedEnvironment): Promise<KeyStore> {
  const runtime = await served.runtime();
  const { store, config } = await runtime.ready();
  return store ?? openConfiguredStore(config);
}

async function listKeys(served: ServedEnvironment): Promise<KeyListing[]> {
  const { store } = await (await served.runtime()).ready();
  return (store?.list() ?? []).map(({ name, masked, keyId, account, createdAt }) => ({
    name,
    masked,
    key_id: keyId,
    account,
    created: createdAt,
  }));
}

async function putKey(served: ServedEnvironment, key: NewKey): Promise<KeyPutResult> {
  const value = unwrapValue(key.value);
  served.redactor.add(key.value, value);
  checkName(key.name);
  checkGivenValue(key.name, value);
  const store = await openStore(served);
  return store.put(key.name, value, key.account);
}

/** What is likely is added only where the page says so; until then it is among the skipped. */
async function importKeys(served: ServedEnvironment, text: string): Promise<ImportResult> {
  const { readKeys } = await import('../../importing/read-keys.ts');
  const { planImport } = await import('../../importing/plan.ts');
  const { findings } = await readKeys(text);
  served.redactor.add(
    ...findings.flatMap((finding) => (finding.pile === 'left' ? [] : [finding.value])),
  );
  const store = await openStore(served);
  let plan = planImport(findings, new Map());
  await store.putChosen((held) => {
    plan = planImport(findings, held);
    return plan.sure;
  });
  const skipped = [
    ...plan.likely.map(({ name, line, reason }) => ({
      name: `line ${line}`,
      reason: `likely ${name}: ${reason}; add it with Add key`,
    })),
    ...plan.left.map(({ name, line, reason }) => ({ name: name ?? `line ${line}`, reason })),
  ];
  return {
    added: plan.sure.map(({ name }) => name),
    unchanged: plan.unchanged.map(({ name }) => name),
    skipped,
  };
}

async function verifyKey(
  served: ServedEnvironment,
  name: string,
  signal: AbortSignal,
): Promise<VerifyVerdict> {
  const runtime = await served.runtime();
  const { store, config } = await runtime.ready();
  const isStored = (each: string): boolean => store?.has(each) ?? false;
  const beside = keysBeside(config.environmentKeys, isStored);
  const secret = isStored(name) ? store?.get(name) : beside.get(name);
  if (secret === undefined) {
    throw new KeyStoreError('unknown_name', 'there is no key of that name', {
      hint: 'the list shows the names',
    });
  }
  const provider = providerOf(name);
  if (provider === null)
    return { verdict: 'unknown', detail: 'only DeepSeek and Perplexity keys can be asked about' };
  const { verdict, detail } = await runtime.checkKey(provider, secret, signal);
  return { verdict, detail };
}

export function createAdmin(served: ServedEnvironment): Admin {
  const money = new MoneyDesk(served);
  return {
    snapshot: async () => (await served.runtime()).snapshot(),
    listKeys: () => listKeys(served),
    putKey: (key) => putKey(served, key),
    importKeys: (text) => importKeys(served, text),
    removeKey: async (name) => (await openStore(served)).remove(name),
    verifyKey: (name, signal) => verifyKey(served, name, signal),
    money: () => money.view(),
    environments: () => served.list(),
    chooseEnvironment: (name) => served.choose(name),
  };
}
