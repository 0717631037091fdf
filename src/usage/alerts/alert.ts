/** What is wrong with keys and accounts, in sentences for whoever reads the next result. Pure. */

/** The part of a pool's snapshot that alerts come from. */
export interface PoolFacts {
  readonly providers: ReadonlyArray<{
    readonly accounts: ReadonlyArray<{
      readonly account: string;
      readonly keys: readonly string[];
      readonly coolingMs: number | null;
      readonly coolingForMs: number | null;
      readonly reason: string | null;
    }>;
    readonly keys: ReadonlyArray<{
      readonly name: string;
      readonly keyId: string;
      readonly account: string;
      readonly state: string;
      readonly reason: string | null;
    }>;
  }>;
}

/** What an account has, and what it spends. */
export interface Reserve {
  readonly account: string;
  readonly currency: string;
  /** Of the currency's whole unit. */
  readonly amount: number;
  /** Estimated, in the same currency. */
  readonly spentPerDay: number;
}

export type AlertKind = 'key_disabled' | 'account_disabled' | 'account_cooling' | 'balance_low';

export interface Alert {
  readonly kind: AlertKind;
  /** The key's name and id, or the account. */
  readonly subject: string;
  /** One sentence or two, with the next step. Nothing of a secret but a key's id. */
  readonly sentence: string;
}

const LONG_COOLING_MS = 60_000;
const LOW_DAYS = 3;

function named(list: readonly string[]): string {
  const last = list.at(-1) ?? '';
  return list.length < 2 ? last : `${list.slice(0, -1).join(', ')} and ${last}`;
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1_000))} s`;
}

type ProviderFacts = PoolFacts['providers'][number];
type AccountFacts = ProviderFacts['accounts'][number];

/** Money or access is gone: the upstream said so, and only it says otherwise. */
function isOut({ coolingMs, reason }: AccountFacts): boolean {
  return coolingMs === null && reason !== null;
}

function accountAlerts(account: AccountFacts): Alert[] {
  const { account: subject, keys, reason, coolingMs, coolingForMs } = account;
  if (isOut(account)) {
    const serve = keys.length === 1 ? 'does not serve' : 'do not serve';
    const sentence = `Account ${subject}: ${reason}; ${named(keys)} ${serve} until it is topped up, and then by ${keys.length === 1 ? 'itself' : 'themselves'}.`;
    return [{ kind: 'account_disabled', subject, sentence }];
  }
  const restedMs = coolingForMs ?? 0;
  if (restedMs <= LONG_COOLING_MS && (coolingMs ?? 0) <= LONG_COOLING_MS) return [];
  const more = coolingMs === null ? '' : ` and rests ${seconds(coolingMs)} more`;
  const why = reason === null ? '' : `: ${reason}`;
  const sentence = `Account ${subject} has been resting for ${seconds(restedMs)}${more}${why}. Fewer calls at once help, or a key of another account.`;
  return [{ kind: 'account_cooling', subject, sentence }];
}

function keyAlerts({ keys, accounts }: ProviderFacts): Alert[] {
  const outAccounts = new Set(accounts.filter(isOut).map(({ account }) => account));
  return keys.flatMap(({ name, keyId, account, state, reason }): Alert[] => {
    if (state !== 'disabled' || outAccounts.has(account)) return [];
    const why = reason ?? 'it was refused';
    const sentence = `${name} (${keyId}) does not serve: ${why}. Replace it with: keypool-mcp keys add ${name}`;
    return [{ kind: 'key_disabled', subject: `${name} (${keyId})`, sentence }];
  });
}

export function poolAlerts({ providers }: PoolFacts): Alert[] {
  return providers.flatMap((provider) => [
    ...provider.accounts.flatMap(accountAlerts),
    ...keyAlerts(provider),
  ]);
}

/** An account that holds several currencies lasts as long as all of them. */
export function balanceAlerts(reserves: readonly Reserve[]): Alert[] {
  const days = new Map<string, number>();
  for (const { account, amount, spentPerDay } of reserves) {
    const lasts = spentPerDay > 0 ? amount / spentPerDay : Number.POSITIVE_INFINITY;
    days.set(account, (days.get(account) ?? 0) + lasts);
  }
  return [...days].flatMap(([subject, lasts]): Alert[] => {
    if (!(lasts < LOW_DAYS)) return [];
    const left = reserves
      .filter(({ account }) => account === subject)
      .map(({ amount, currency }) => `${amount.toFixed(2)} ${currency}`);
    const time = lasts < 1 ? 'less than a day' : `about ${lasts.toFixed(1)} days`;
    const sentence = `Account ${subject} has ${named(left)} left: ${time} at the rate of the last week. Top it up, or cap it with: keypool-mcp budget set`;
    return [{ kind: 'balance_low', subject, sentence }];
  });
}
