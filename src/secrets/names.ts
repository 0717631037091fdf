/** Names, values and account labels as the store's errors. What they may be stands in base/. */

import { KeyStoreError } from '../base/errors.ts';
import { isKeyName, nameProblem } from '../base/keys/key-names.ts';
import { givenProblem, valueProblem } from '../base/keys/key-values.ts';

const MAX_ACCOUNT = 64;

/** The name is never repeated: it may be a key that landed in the wrong place. */
export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem === null) return;
  throw new KeyStoreError('invalid_name', problem, {
    hint: isKeyName(name)
      ? 'its keys are DEEPSEEK_API_KEY, DEEPSEEK_API_KEY_2 and so on to _99999; the same for PERPLEXITY'
      : 'use capitals, digits and _, for instance DEEPSEEK_API_KEY_2 or BYBIT_API_KEY',
  });
}

function refuseValue(problem: string | null): void {
  if (problem === null) return;
  throw new KeyStoreError('invalid_value', `the value cannot be a key: ${problem}`, {
    hint: 'copy it again from the provider, without anything around it',
  });
}

export function checkValue(name: string, value: string): void {
  refuseValue(valueProblem(name, value));
}

/** For a value that a person or a program just gave: no example, either. */
export function checkGivenValue(name: string, value: string): void {
  refuseValue(givenProblem(name, value));
}

export function checkAccount(account: string): void {
  const isUsable = account.trim() === account && account !== '' && !/\p{C}/u.test(account);
  if (isUsable && account.length <= MAX_ACCOUNT) return;
  throw new KeyStoreError('invalid_value', 'the account label is not usable', {
    hint: `use 1 to ${MAX_ACCOUNT} printable characters, for instance --account main`,
  });
}
