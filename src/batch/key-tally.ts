/** What each key did in a batch. */

import type { AttemptEvent, PoolObserver } from '../pool/observer.ts';

interface Row {
  calls: number;
  failures: number;
  promptTokens: number;
  completionTokens: number;
}

export class KeyTally implements PoolObserver {
  readonly #rows = new Map<string, Row>();

  attemptEnded(event: AttemptEvent): void {
    if (event.outcome === 'cancelled') return;
    const row = this.#rows.get(event.keyName) ?? {
      calls: 0,
      failures: 0,
      promptTokens: 0,
      completionTokens: 0,
    };
    row.calls++;
    if (event.outcome !== 'ok') row.failures++;
    row.promptTokens += event.promptTokens;
    row.completionTokens += event.completionTokens;
    this.#rows.set(event.keyName, row);
  }

  /** A table, one key a line; empty when no key was asked. */
  lines(): string[] {
    if (this.#rows.size === 0) return [];
    const head = ['KEY', 'CALLS', 'FAILURES', 'TOKENS IN', 'TOKENS OUT'];
    const body = [...this.#rows]
      .sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
      .map(([name, row]) => [
        name,
        ...[row.calls, row.failures, row.promptTokens, row.completionTokens].map(String),
      ]);
    const widths = head.map((title, column) =>
      Math.max(title.length, ...body.map((cells) => cells[column]?.length ?? 0)),
    );
    return [head, ...body].map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    );
  }
}
