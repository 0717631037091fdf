/** What is wrong with keys and accounts, said once: in the log, and in the next call's result. */

import type { Logger } from '../../../base/logger.ts';
import {
  type Alert,
  type AlertKind,
  balanceAlerts,
  type PoolFacts,
  poolAlerts,
  type Reserve,
} from '../../../usage/alerts/alert.ts';
import { AlertDesk } from '../../../usage/alerts/alert-desk.ts';
import { claim, unclaim } from '../../../usage/alerts/claims.ts';
import { dayStart } from '../../../usage/days.ts';
import type { BalanceReading } from '../../../usage/ledger/balance-reading.ts';
import { alertsFolder, usageFolder } from '../../../usage/ledger/ledger.ts';
import { readLedger } from '../../../usage/ledger/read-ledger.ts';

export interface AlertsOptions {
  readonly home: string;
  /** False: nothing is written into the home, and every process speaks for itself. */
  readonly hasLedger: boolean;
  readonly logger: Logger;
  readonly facts: () => PoolFacts;
  /** Hears of each alert once. */
  readonly onAlert?: (alert: Alert) => void;
  /** Epoch milliseconds; default the machine's clock. */
  readonly now?: () => number;
}

/** A look at the pool costs more than a call's whole account: not with every call. */
const LOOK_MS = 5_000;
/** Where an attempt failed the reason may be news. */
const LOOK_AFTER_FAILURE_MS = 250;
const RATE_DAYS = 7;

const LOG_WORDS: Readonly<Record<AlertKind, string>> = {
  key_disabled: 'A key does not serve',
  account_disabled: 'An account does not serve',
  account_cooling: 'An account has been cooling for long',
  balance_low: 'A balance is running out',
};

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #now: () => number;
  readonly #desk: AlertDesk;
  #readings = new Map<string, BalanceReading>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AlertsOptions) {
    const { home, hasLedger, logger, onAlert, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.#desk = new AlertDesk({
      now,
      claim: (what) => !hasLedger || claim(alertsFolder(home), what, now()),
      release: (what) => {
        if (hasLedger) unclaim(alertsFolder(home), what);
      },
      onAlert: (alert) => {
        logger.warn(LOG_WORDS[alert.kind], { reason: alert.sentence });
        onAlert?.(alert);
      },
    });
  }

  /** To be called when a call has its result. */
  take(hasFailed: boolean): string | null {
    const now = this.#now();
    const everyMs = hasFailed ? LOOK_AFTER_FAILURE_MS : LOOK_MS;
    if (Math.abs(now - this.#lookedAt) >= everyMs) {
      this.#lookedAt = now;
      this.#desk.look('pool', poolAlerts(this.#options.facts()));
    }
    return this.#desk.take();
  }

  /** What an account has, in one of its currencies. */
  noteBalance(reading: BalanceReading): void {
    const { account, currency } = reading;
    this.#readings.set(JSON.stringify([account, currency]), reading);
  }

  /** To be called when all accounts were asked what they have. Never rejects. */
  async weighBalances(): Promise<void> {
    try {
      this.#desk.look('balances', balanceAlerts(await this.#reserves()));
    } catch {
      // A ledger that cannot be read is said by whoever writes it.
    }
  }

  async #reserves(): Promise<Reserve[]> {
    const now = this.#now();
    const span = { since: dayStart(now, 1 - RATE_DAYS), until: now + 1 };
    const spent = new Map<string, { usd: number; cny: number }>();
    let first = now;
    for await (const entry of readLedger(usageFolder(this.#options.home), span)) {
      first = Math.min(first, entry.endedAt);
      const sum = spent.get(entry.account) ?? { usd: 0, cny: 0 };
      sum.usd += entry.usd?.estimate ?? 0;
      sum.cny += entry.cny?.estimate ?? 0;
      spent.set(entry.account, sum);
    }
    // The first day of all counts as a whole one: nobody spends all day at the rate of a try.
    const days = Math.max(1, Math.ceil((now - first) / (24 * 3_600_000)));
    return [...this.#readings.values()].map(({ account, currency, amount }) => {
      const sum = spent.get(account);
      const total = (currency === 'CNY' ? sum?.cny : sum?.usd) ?? 0;
      return { account, currency, amount, spentPerDay: total / days };
    });
  }
}
