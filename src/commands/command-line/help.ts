/** What --help prints, from the definitions of commands and flags; no line over 80 columns. */

import { NAME, VERSION } from '../../base/version.ts';
import type { CatalogEntry, Command, CommandOptions, Flag } from '../command.ts';
import { wrap } from '../terminal/wrap.ts';
import { GLOBAL_OPTIONS } from './global-flags.ts';

const WIDTH = 80;

/** `--out FILE`, `--no-open`, `-h, --help`. */
export function spelled(name: string, flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const long = flag.isNegative === true ? `--no-${name}` : `--${name}`;
  return `${short}${long}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

/** `keys add NAME [--account LABEL]`. */
export function usageLine(name: string, command: Command): string {
  const places = command.arguments.map((each) =>
    each.isOptional === true ? `[${each.name}]` : each.name,
  );
  const flags = Object.entries(command.options);
  const required = flags.filter(([, flag]) => flag.isRequired === true);
  const optional = flags.filter(([, flag]) => flag.isRequired !== true);
  const shown = required.map(([flag, each]) => spelled(flag, each));
  const rest =
    optional.length > 3 ? ['[flags]'] : optional.map(([flag, each]) => `[${spelled(flag, each)}]`);
  return [name, ...places, ...shown, ...rest].join(' ');
}

/** Two columns, the second one wrapped beside the first. */
function twoColumns(rows: ReadonlyArray<readonly [string, string]>): string {
  const first = Math.min(Math.max(...rows.map(([left]) => left.length)), 26) + 4;
  return rows
    .flatMap(([left, right]) => {
      const lines = wrap(right, WIDTH - first);
      const head = `  ${left}`;
      const [begin = '', ...more] = lines;
      const top =
        head.length < first - 1 ? [head.padEnd(first) + begin] : [head, pad(first, begin)];
      return [...top, ...more.map((line) => pad(first, line))];
    })
    .join('\n');
}

const pad = (width: number, line: string): string => `${' '.repeat(width)}${line}`;

function flagRows(title: string, options: CommandOptions): string {
  const rows = Object.entries(options).map(([name, flag]): readonly [string, string] => [
    spelled(name, flag),
    flag.multiple === true ? `${flag.about}; may be given again` : flag.about,
  ]);
  return rows.length === 0 ? '' : `${title}:\n${twoColumns(rows)}\n\n`;
}

/**
 * @param names the commands to list
 * @param commands all of them
 */
export function programHelp(
  names: readonly string[],
  commands: Readonly<Record<string, CatalogEntry>>,
): string {
  const rows = names.map((name): readonly [string, string] => [
    name,
    commands[name]?.summary ?? '',
  ]);
  const about =
    'DeepSeek code generation and Perplexity search for AI assistants, over an encrypted pool of API keys.';
  return `${NAME} ${VERSION}
${wrap(about, WIDTH).join('\n')}

Usage: ${NAME} [command] [flags]

Commands:
${twoColumns(rows)}

${flagRows('Global flags', GLOBAL_OPTIONS)}${NAME} COMMAND --help tells more about one command.`;
}

export function commandHelp(name: string, command: Command): string {
  const usage = wrap(`Usage: ${NAME} ${usageLine(name, command)}`, WIDTH).join('\n  ');
  const prose = command.help
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => wrap(paragraph, WIDTH).join('\n'))
    .join('\n\n');
  const flags = flagRows('Flags', command.options) + flagRows('Global flags', GLOBAL_OPTIONS);
  return `${usage}\n\n${prose}\n\n${flags}`.trimEnd();
}
