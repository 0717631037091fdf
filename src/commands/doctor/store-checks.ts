/** The store and its keys, and what stands beside them in the environment. */

import { KeyStoreError, PROVIDER_NAMES, PROVIDERS, type Provider } from '../../base/errors.ts';
import { keysBeside } from '../../base/keys/environment-keys.ts';
import { keyId } from '../../base/keys/key-id.ts';
import { FAMILIES, nameProblem, providerOf } from '../../base/keys/key-names.ts';
import { valueProblem } from '../../base/keys/key-values.ts';
import type { Config } from '../../config.ts';
import type { KeyStore, StoreEntry } from '../../secrets/key-store.ts';
import { readFoundAccounts } from '../composition/keys/found-accounts.ts';
import { openConfiguredStore } from '../composition/keys/open-store.ts';
import { type Finding, failed, ok, openBits } from './finding.ts';

async function fileFindings(store: KeyStore): Promise<Finding[]> {
  const findings: Finding[] = [];
  const count = store.list().length;
  if (store.format === 'sealed') findings.push(ok('store', `${store.path} (v2, keys: ${count})`));
  else {
    findings.push({
      check: 'store',
      status: 'warn',
      message: `${store.path} is a legacy Fernet file (keys: ${count})`,
      hint: 'keypool-mcp keys migrate makes it v2; until then it stays readable for the other program',
    });
  }
  if (store.recipients.length > 1) {
    findings.push({
      check: 'rotation',
      status: 'fail',
      message: 'a rotation of the master key was interrupted: two keys open the store',
      hint: 'finish it: keypool-mcp keys rotate-master',
    });
  }
  const bits = (await openBits(store.path)) ?? 0;
  if (bits !== 0) {
    const can = (bits & 0o022) === 0 ? 'read' : 'replace';
    findings.push({
      check: 'store mode',
      status: 'warn',
      message: `others can ${can} the encrypted file`,
      hint: `run: chmod 600 ${store.path}`,
    });
  }
  return findings;
}

interface PoolKey {
  readonly name: string;
  readonly value: string;
  readonly account: string | null;
}

function familyFinding(provider: Provider, keys: readonly PoolKey[]): Finding {
  const check = `${PROVIDER_NAMES[provider]} keys`;
  const own = keys.filter((key) => providerOf(key.name) === provider);
  if (own.length === 0) {
    return {
      check,
      status: 'warn',
      message: 'none',
      hint: `keypool-mcp keys add ${FAMILIES[provider]}`,
    };
  }
  const twins = own.filter((key) =>
    own.some((other) => other !== key && other.value === key.value),
  );
  if (twins.length > 0) {
    const names = twins.map((key) => key.name).join(', ');
    return {
      check,
      status: 'warn',
      message: `${own.length}, but ${names} are the same key`,
      hint: 'remove the copies: one key twice is not two',
    };
  }
  const accounts = new Set(own.flatMap((key) => (key.account === null ? [] : [key.account])));
  const labelled =
    accounts.size === 0 ? '' : ` of ${accounts.size} named account${accounts.size > 1 ? 's' : ''}`;
  return ok(check, `${own.length}${labelled}: ${own.map((key) => key.name).join(', ')}`);
}

/** Names and values that the pool never uses. Not the values: why. */
function unusable(config: Config, keys: readonly PoolKey[]): Finding[] {
  const stored = keys.flatMap(({ name, value }): Finding[] => {
    const wrongName = nameProblem(name);
    const problem = wrongName ?? (providerOf(name) === null ? null : valueProblem(name, value));
    if (problem === null) return [];
    const hint =
      wrongName === null
        ? `replace it: keypool-mcp keys add ${name}`
        : `give it another name: keypool-mcp keys rename ${name} NEW`;
    return [{ check: 'unused key', status: 'fail', message: `${name}: ${problem}`, hint }];
  });
  const variables = config.environmentKeys.unused.map(
    ({ name, reason }): Finding => ({
      check: 'unused variable',
      status: 'fail',
      message: `${name}: ${reason}`,
      hint: 'correct it where it is set, or take it out',
    }),
  );
  return [...stored, ...variables];
}

function keyFindings(config: Config, entries: readonly PoolKey[]): Finding[] {
  const stored = new Map(entries.map((entry) => [entry.name, entry.value]));
  const { environmentKeys } = config;
  const extra = [...keysBeside(environmentKeys, (name) => stored.has(name))];
  const keys = [...entries, ...extra.map(([name, value]) => ({ name, value, account: null }))];
  const findings = [
    ...PROVIDERS.map((each) => familyFinding(each, keys)),
    ...unusable(config, keys),
  ];
  const shadowed = [...environmentKeys.keys]
    .filter(([name]) => !environmentKeys.listed.has(name))
    .filter(([name, value]) => stored.has(name) && stored.get(name) !== value)
    .map(([name]) => name);
  if (extra.length > 0) {
    findings.push({
      check: 'environment keys',
      status: 'warn',
      message: `in clear in the environment or the settings file: ${extra.map(([name]) => name).join(', ')}`,
      hint: 'move them into the store with keypool-mcp keys add, then take them out there',
    });
  }
  if (shadowed.length > 0) {
    findings.push({
      check: 'environment keys',
      status: 'warn',
      message: `the store's value is used, not the environment's: ${shadowed.join(', ')}`,
      hint: 'take the variables out, or replace the stored keys',
    });
  }
  return findings;
}

/** Accounts that a server found although nobody named them, while their keys are still the same. */
async function accountFindings(config: Config, entries: readonly PoolKey[]): Promise<Finding[]> {
  const found = await readFoundAccounts(config.home);
  const known = new Map([
    ...config.environmentKeys.keys,
    ...entries.map((key) => [key.name, key.value] as const),
  ]);
  const given = new Map(entries.map((key) => [key.name, key.account]));
  return PROVIDERS.flatMap((provider) =>
    (found[provider] ?? []).flatMap((keys) => {
      // A key that is not known here may come from the environment that a client gives its server.
      const isSame = keys.every(({ name, keyId: id }) => {
        const value = known.get(name);
        return value === undefined || keyId(value) === id;
      });
      const unnamed = keys.filter(({ name }) => (given.get(name) ?? null) === null);
      if (!isSame || unnamed.length === 0) return [];
      const label = keys.map(({ name }) => given.get(name) ?? null).find((each) => each !== null);
      const commands = unnamed.map(
        ({ name }) => `keypool-mcp keys add ${name} --account ${label ?? 'shared'}`,
      );
      return {
        check: `${PROVIDER_NAMES[provider]} account`,
        status: 'warn' as const,
        message: `${keys.map(({ name }) => name).join(', ')} share one account, as their refusals showed; nobody has said so`,
        hint: `write it down, so that no start has to find it out again: ${commands.join('; ')}`,
      };
    }),
  );
}

/** The store and the keys, or why they cannot be read. */
export async function checkStore(config: Config): Promise<Finding[]> {
  let store: KeyStore;
  try {
    store = await openConfiguredStore(config);
  } catch (error) {
    const problem = failed('store', error);
    const isAboutMaster =
      error instanceof KeyStoreError && ['no_master', 'bad_master'].includes(error.code);
    // The finding about the master key says it already.
    const finding = isAboutMaster
      ? { ...problem, message: 'not opened: see the master key' }
      : problem;
    // What the store holds is not known, so that nothing is said to be missing from it.
    if (config.environmentKeys.keys.size === 0) return [finding];
    return [finding, ...keyFindings(config, []), ...(await accountFindings(config, []))];
  }
  const entries = store
    .list()
    .map(({ name, account }: StoreEntry) => ({ name, account, value: store.get(name) }));
  return [
    ...(await fileFindings(store)),
    ...keyFindings(config, entries),
    ...(await accountFindings(config, entries)),
  ];
}
