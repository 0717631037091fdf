/** What a call cost, as a result shows it: an estimate, in dollars. */

/** Below this nobody wants to read about it. */
const WORTH_A_WORD_USD = 0.01;

/** A single token costs less than a millionth. */
export function roundedUsd(costUsd: number | null): number | null {
  return costUsd === null ? null : Number(costUsd.toFixed(8));
}

/** `about $0.03 (estimated)`; null for a cent or less, and where the price is not known. */
export function costInWords(costUsd: number | null): string | null {
  if (costUsd === null || costUsd <= WORTH_A_WORD_USD) return null;
  return `about $${costUsd.toFixed(2)} (estimated)`;
}

/** With a sentence about what may still be spent, where there is one. */
export function withNotice(text: string, notice: string | null): string {
  return notice === null ? text : `${text}\n\n${notice}`;
}
