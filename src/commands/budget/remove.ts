import { CommandError, ConfigError } from '../../base/errors.ts';
import { loadConfig } from '../../config.ts';
import { BUDGET_PERIODS } from '../../usage/budgets/budget.ts';
import { removeBudget } from '../../usage/budgets/budget-file.ts';
import { type Command, type CommandInput, print } from '../command.ts';
import { SCOPE_OPTIONS, scopeOf } from './scope.ts';

async function run(input: CommandInput): Promise<number> {
  const config = loadConfig(input.flags, input.env);
  // As it was set, too: `5/day`.
  const word = (input.positionals[0] ?? '').split('/').at(-1)?.trim().toLowerCase();
  const per = BUDGET_PERIODS.find((each) => each === word);
  if (per === undefined) {
    throw new ConfigError('the period of a budget is unknown', {
      hint: `use one of ${BUDGET_PERIODS.join(', ')}`,
    });
  }
  if (!(await removeBudget(config.home, { per, ...scopeOf(input) }))) {
    throw new CommandError('there is no such budget', { hint: 'see keypool-mcp budget list' });
  }
  print('removed');
  return 0;
}

export const command: Command = {
  help: `Takes the cap of a period away: day, month or session. With --account or --client that of the
account or client.`,
  options: SCOPE_OPTIONS,
  arguments: [{ name: 'PERIOD', choices: ['day', 'month', 'session'] }],
  run,
};
