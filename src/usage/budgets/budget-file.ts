/** The budgets of a home folder: plain settings, no secret. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { parseRecord } from '../../base/text/json.ts';
import { withFileLock } from '../../disk/file-lock.ts';
import { replaceFile } from '../../disk/replace-file.ts';
import { BUDGET_PERIODS, type Budget, isSameScope } from './budget.ts';

const MAX_BYTES = 1024 * 1024;

export function budgetsPath(home: string): string {
  return join(home, 'budgets.json');
}

function unusable(path: string, cause?: unknown): ConfigError {
  return new ConfigError(`the budgets in ${path} cannot be read`, {
    cause,
    hint: 'correct the file, or remove it to spend without a budget',
  });
}

function textOrNull(value: unknown): string | null | undefined {
  return value === null || (typeof value === 'string' && value !== '') ? value : undefined;
}

function budgetOf(value: unknown): Budget | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [usd, wanted] = [fields.get('usd'), fields.get('per')];
  const per = BUDGET_PERIODS.find((each) => each === wanted);
  const account = textOrNull(fields.get('account'));
  const client = textOrNull(fields.get('client'));
  const isAmount = typeof usd === 'number' && Number.isFinite(usd) && usd > 0;
  if (!isAmount || per === undefined || account === undefined || client === undefined) return null;
  return { usd, per, account, client };
}

function parseBudgets(text: string, path: string): Budget[] {
  const root = parseRecord(text.replace(/^\uFEFF/, ''));
  if (root?.v !== 1 || !Array.isArray(root.budgets)) throw unusable(path);
  return root.budgets.map((each: unknown) => budgetOf(each) ?? unusableEntry(path));
}

function unusableEntry(path: string): never {
  throw unusable(path);
}

/**
 * @returns none where there is no file
 * @throws ConfigError for a file that cannot be used: a cap that nobody can read still stands
 */
export function readBudgets(home: string): Budget[] {
  const path = budgetsPath(home);
  if (!existsSync(path)) return [];
  try {
    const info = statSync(path);
    if (!info.isFile() || info.size > MAX_BYTES) throw unusable(path);
    return parseBudgets(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    throw cause instanceof ConfigError ? cause : unusable(path, cause);
  }
}

/** Whether any cap stands; also one that nobody can read. */
export function hasBudgetsAt(home: string): boolean {
  try {
    return readBudgets(home).length > 0;
  } catch {
    return true;
  }
}

async function change(
  home: string,
  action: (budgets: readonly Budget[]) => Budget[],
): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const path = budgetsPath(home);
  await withFileLock(path, async () => {
    const budgets = action(readBudgets(home));
    await replaceFile(path, `${JSON.stringify({ v: 1, budgets }, null, 2)}\n`);
  });
}

/** @throws ConfigError, DiskError */
export function setBudget(home: string, budget: Budget): Promise<void> {
  return change(home, (budgets) => [
    ...budgets.filter((each) => !isSameScope(each, budget)),
    budget,
  ]);
}

/** @returns whether there was one. @throws ConfigError, DiskError */
export async function removeBudget(home: string, scope: Omit<Budget, 'usd'>): Promise<boolean> {
  if (!readBudgets(home).some((each) => isSameScope(each, scope))) return false;
  await change(home, (budgets) => budgets.filter((each) => !isSameScope(each, scope)));
  return true;
}

/** The budgets as they are at this moment: whoever lowers a cap means the next call. */
export class BudgetWatch {
  readonly #home: string;
  #mark = '';
  #budgets: readonly Budget[] = [];

  constructor(home: string) {
    this.#home = home;
  }

  /** @throws ConfigError */
  current(): readonly Budget[] {
    const info = statSync(budgetsPath(this.#home), { throwIfNoEntry: false });
    const mark = info === undefined ? 'none' : `${info.ino} ${info.size} ${info.mtimeMs}`;
    if (mark !== this.#mark) {
      this.#mark = '';
      this.#budgets = readBudgets(this.#home);
      this.#mark = mark;
    }
    return this.#budgets;
  }
}
