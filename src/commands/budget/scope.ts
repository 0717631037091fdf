/** Whom a budget is for, as the flags say. */

import { ConfigError } from '../../base/errors.ts';
import type { Budget } from '../../usage/budgets/budget.ts';
import type { CommandInput, CommandOptions } from '../command.ts';

export const SCOPE_OPTIONS = {
  account: { type: 'string', value: 'NAME', about: 'for this account alone' },
  client: {
    type: 'string',
    value: 'NAME',
    about: 'for this client alone, by the name that it gives in its handshake',
  },
} as const satisfies CommandOptions;

const MAX_NAME = 60;

function nameOf(flag: string, value: unknown): string | null {
  if (value === undefined) return null;
  const name = typeof value === 'string' ? value.trim() : '';
  if (name !== '' && name.length <= MAX_NAME && !/\p{C}/u.test(name)) return name;
  throw new ConfigError(`${flag} is no name`, {
    hint: `give one of 1 to ${MAX_NAME} characters, as usage --by ${flag.slice(2)} shows it`,
  });
}

/** @throws ConfigError */
export function scopeOf({ values }: CommandInput): Pick<Budget, 'account' | 'client'> {
  const scope = {
    account: nameOf('--account', values.account),
    client: nameOf('--client', values.client),
  };
  if (scope.account === null || scope.client === null) return scope;
  throw new ConfigError('a budget is for an account or for a client', {
    hint: 'leave one of --account and --client out, or set two budgets',
  });
}
