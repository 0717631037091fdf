/** Budgets in sentences, for people and for models. */

import { BudgetError } from '../../base/errors.ts';
import { dayOf, zoneName } from '../days.ts';
import { type Budget, budgetSpan, raiseCommand } from './budget.ts';

function usd(amount: number): string {
  return `$${amount.toFixed(amount < 0.99995 ? 4 : 2)}`;
}

function scopeWords({ account, client }: Budget): string {
  if (account !== null) return ` for account ${account}`;
  return client === null ? '' : ` for client ${client}`;
}

/** `$5.00 a day for client cursor`. */
export function budgetWords(budget: Budget): string {
  return `${usd(budget.usd)} a ${budget.per}${scopeWords(budget)}`;
}

function resetWords({ per }: Budget, now: number): string {
  const span = budgetSpan(per, now);
  return span === null
    ? 'it begins anew with the next session'
    : `it begins anew on ${dayOf(span.until)} at 00:00 (${zoneName()})`;
}

export function spentError(budget: Budget, spent: number, now: number): BudgetError {
  return new BudgetError(
    `the budget of ${budgetWords(budget)} is spent: ${usd(spent)} by estimate, and ${resetWords(budget, now)}`,
    { hint: `whoever pays can raise it with: ${raiseCommand(budget)}` },
  );
}

/** Each of several accounts has spent its own. */
export function allSpentError(budgets: readonly Budget[], now: number): BudgetError {
  const [first] = [...budgets].sort((a, b) => (endOf(a, now) < endOf(b, now) ? -1 : 1));
  const words = budgets.map(budgetWords).join(', ');
  const anew = first === undefined ? '' : `; of the first ${resetWords(first, now)}`;
  const raise = first === undefined ? 'keypool-mcp budget set' : raiseCommand(first);
  return new BudgetError(`every account has spent its budget: ${words}${anew}`, {
    hint: `whoever pays can raise one with: ${raise}`,
  });
}

function endOf({ per }: Budget, now: number): number {
  return budgetSpan(per, now)?.until ?? Number.POSITIVE_INFINITY;
}

/** Nobody can be asked what other machines spend, and what this one may spend meanwhile is spent. */
export function partSpentError(budget: Budget, partUsd: number): BudgetError {
  return new BudgetError(
    `this machine's part of the budget of ${budgetWords(budget)} is spent (${usd(partUsd)}), and what the other machines have spent cannot be asked`,
    {
      hint: 'bring the Redis of KEYPOOL_REDIS_URL back; keypool-mcp doctor says what is wrong with it',
    },
  );
}

/** The call waited in vain: others hold what is left. */
export function heldError(budget: Budget, spent: number): BudgetError {
  return new BudgetError(
    `what is left of the budget of ${budgetWords(budget)} is held by calls in flight, ${usd(spent)} is spent`,
    { hint: `try again when they have ended, or raise it with: ${raiseCommand(budget)}` },
  );
}

export function unpricedError(model: string): BudgetError {
  return new BudgetError(`the model ${model} has no price here, so that no budget could hold`, {
    hint: 'ask for another model, or whoever pays adds its price to prices.json in the home folder',
  });
}

export function noLedgerError(): BudgetError {
  return new BudgetError('a budget is set, and the ledger that it counts by is off', {
    hint: 'take KEYPOOL_LEDGER=off away, or remove the budgets with: keypool-mcp budget remove',
  });
}

/** Said once, when four fifths are spent. */
export function nearNotice(budget: Budget, spent: number, now: number): string {
  return `Of the budget of ${budgetWords(budget)}, ${usd(spent)} is spent by estimate; ${resetWords(budget, now)}.`;
}
