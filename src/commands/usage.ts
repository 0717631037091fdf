/** `usage`: what was spent. */

import { ConfigError } from '../base/errors.ts';
import { loadConfig } from '../config.ts';
import { usageFolder } from '../usage/ledger/ledger.ts';
import { loadPrices } from '../usage/prices/load-prices.ts';
import { GROUPINGS, type Grouping, reportUsage } from '../usage/report/usage-report.ts';
import { type Command, type CommandInput, print, tell } from './command.ts';
import { styleFor } from './terminal/style.ts';
import { csvText, reportJson } from './usage/report-forms.ts';
import { spanOf } from './usage/span.ts';
import { usageText } from './usage/usage-view.ts';

function groupingOf(by: unknown): Grouping {
  if (by === undefined) return 'day';
  const grouping = GROUPINGS.find((each) => each === by);
  if (grouping !== undefined) return grouping;
  throw new ConfigError('--by is unknown', { hint: `use one of ${GROUPINGS.join(', ')}` });
}

async function run({ values, flags, env }: CommandInput): Promise<number> {
  const config = loadConfig(flags, env);
  const now = Date.now();
  const by = groupingOf(values.by);
  const span = spanOf(values.since, values.until, now);
  if (values.json === true && values.csv === true) {
    throw new ConfigError('--json and --csv exclude each other', { hint: 'choose one' });
  }
  // What is spent is priced by it: whoever wrote it has to know that it is not used.
  const { problem } = await loadPrices(config.home);
  if (problem !== null) tell(problem);
  const report = await reportUsage(usageFolder(config.home), span, by, now);
  if (values.json === true) print(reportJson(report));
  else if (values.csv === true) print(csvText(report));
  else {
    print(usageText(report, now, styleFor(process.stdout, env)));
    if (!config.ledger) print('The ledger is off (KEYPOOL_LEDGER): nothing is added to it.');
  }
  return 0;
}

export const command: Command = {
  help: `Shows what the calls of this home folder cost, from its ledger: this month by day, unless
something else is asked for. All sums are estimates from a table of prices; the provider's own
balance stands beside them where it was read. Days are those of this machine's time zone. With the
built-in prices DeepSeek's peak hours are 09:00-12:00 and 14:00-18:00 in Beijing (01:00-04:00 and
06:00-10:00 UTC), Monday to Friday but Chinese holidays.`,
  options: {
    by: { type: 'string', value: 'WHAT', about: GROUPINGS.join(', '), choices: GROUPINGS },
    since: {
      type: 'string',
      value: 'DAY',
      about: '2026-11-27, today, yesterday, or 7d for the last seven days',
    },
    until: { type: 'string', value: 'DAY', about: 'the last day shown; today when left out' },
    json: { type: 'boolean', about: 'everything, for programs' },
    csv: { type: 'boolean', about: 'the table, for a spreadsheet' },
  },
  arguments: [],
  run,
};
