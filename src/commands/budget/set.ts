import { ConfigError } from '../../base/errors.ts';
import { loadConfig } from '../../config.ts';
import { parseBudget } from '../../usage/budgets/budget.ts';
import { setBudget } from '../../usage/budgets/budget-file.ts';
import { budgetWords } from '../../usage/budgets/budget-words.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { SCOPE_OPTIONS, scopeOf } from './scope.ts';

async function run(input: CommandInput): Promise<number> {
  const config = loadConfig(input.flags, input.env);
  const parsed = parseBudget(input.positionals[0] ?? '');
  if (typeof parsed === 'string') {
    throw new ConfigError(parsed, { hint: 'for instance 5/day, 40/month or 1/session' });
  }
  const budget = { ...parsed, ...scopeOf(input) };
  await setBudget(config.home, budget);
  print(`at most ${budgetWords(budget)}, from the next call on`);
  if (!config.ledger) {
    tell(
      'the ledger is off (KEYPOOL_LEDGER): calls are refused until it is on, for nothing counts',
    );
  }
  return 0;
}

export const command: Command = {
  help: `Caps what may be spent, in US dollars by estimate: in a day, in a month, or in one session of a
client. Days and months are those of this machine's time zone. The cap is for everything that this
home folder spends, or for one account or client, and holds across all of its programs, at once.

A call that a cap leaves no money for is refused with a sentence, before anything is sent. A call
whose upper estimate (all of max_tokens) does not fit beside the calls in flight waits for them.
The same period for the same account or client again replaces the cap. No tool can change it.`,
  options: SCOPE_OPTIONS,
  arguments: [{ name: 'AMOUNT/PERIOD' }],
  run,
};
