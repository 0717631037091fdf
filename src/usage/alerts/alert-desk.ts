/**
 * Says each alert once: to the log when it comes up, and to whoever calls next. Of several
 * programs of one home the first one says it; what is there on the next day, too, is said anew
 * by a program that meets it then.
 */

import { dayOf } from '../days.ts';
import type { Alert } from './alert.ts';

export interface AlertDeskOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** True for the one process that is to say it. */
  readonly claim: (what: string) => boolean;
  /** It is over: whoever meets it again says it anew. */
  readonly release: (what: string) => void;
  readonly onAlert: (alert: Alert) => void;
}

/** Who looked: what one of them no longer sees is over, whatever the other sees. */
export type AlertSource = 'pool' | 'balances';

/** A result is no report. */
const MOST_AT_ONCE = 3;

function nameOf({ kind, subject }: Alert): string {
  return JSON.stringify([kind, subject]);
}

export class AlertDesk {
  readonly #options: AlertDeskOptions;
  /** Faults that are there, by name; the value is what was claimed. */
  readonly #current: Readonly<Record<AlertSource, Map<string, string>>> = {
    pool: new Map(),
    balances: new Map(),
  };
  readonly #untold = new Map<string, Alert>();

  constructor(options: AlertDeskOptions) {
    this.#options = options;
  }

  /** @param alerts all that this source sees now */
  look(source: AlertSource, alerts: readonly Alert[]): void {
    const current = this.#current[source];
    const seen = new Map(alerts.map((alert) => [nameOf(alert), alert]));
    for (const [name, claimed] of [...current]) {
      if (seen.has(name)) continue;
      current.delete(name);
      this.#untold.delete(name);
      this.#options.release(claimed);
    }
    for (const [name, alert] of seen) {
      // What it says may have changed while nobody called.
      if (this.#untold.has(name)) this.#untold.set(name, alert);
      if (!current.has(name)) this.#begin(current, name, alert);
    }
  }

  /** Sentences for a result, each of them once; null when there is nothing to say. */
  take(): string | null {
    const told = [...this.#untold].slice(0, MOST_AT_ONCE);
    for (const [name] of told) this.#untold.delete(name);
    return told.length === 0 ? null : told.map(([, { sentence }]) => sentence).join(' ');
  }

  #begin(current: Map<string, string>, name: string, alert: Alert): void {
    const { now, claim, onAlert } = this.#options;
    const what = JSON.stringify([name, dayOf(now())]);
    current.set(name, what);
    if (!claim(what)) return;
    this.#untold.set(name, alert);
    onAlert(alert);
  }
}
