/** Scripts that let a shell complete commands, flags and the values of some. Pure. */

import { NAME } from '../../base/version.ts';
import type { Command, CommandOptions } from '../command.ts';
import { GLOBAL_OPTIONS } from './global-flags.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as the completion knows it. */
export interface Completed {
  /** Its words: `keys add`. */
  readonly name: string;
  readonly summary: string;
  readonly command: Pick<Command, 'options' | 'arguments'>;
}

interface FlagWord {
  readonly word: string;
  readonly about: string;
  readonly choices: readonly string[];
  readonly takesValue: boolean;
}

function flagsOf(options: CommandOptions): FlagWord[] {
  return Object.entries({ ...options, ...GLOBAL_OPTIONS }).map(([name, flag]) => ({
    word: 'isNegative' in flag && flag.isNegative === true ? `--no-${name}` : `--${name}`,
    about: flag.about,
    choices: 'choices' in flag ? (flag.choices ?? []) : [],
    takesValue: flag.type === 'string',
  }));
}

const argumentChoices = ({ command }: Completed): readonly string[] =>
  command.arguments[0]?.choices ?? [];

/** The first words, each once, with what they mean: of a group, what may follow. */
function firstWords(all: readonly Completed[]): Map<string, string> {
  const words = new Map<string, string>();
  for (const { name, summary } of all) {
    const [first = '', second] = name.split(' ');
    const before = words.get(first);
    if (second === undefined) words.set(first, summary);
    else words.set(first, before === undefined ? second : `${before}, ${second}`);
  }
  return words;
}

function secondWords(all: readonly Completed[], first: string): Completed[] {
  return all.filter(({ name }) => name.startsWith(`${first} `));
}

const groupsOf = (all: readonly Completed[]): string[] => [
  ...new Set(all.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))),
];

function bash(all: readonly Completed[]): string {
  const groups = groupsOf(all);
  const cases = all.map((each) => {
    const words = [
      ...argumentChoices(each),
      ...flagsOf(each.command.options).map(({ word }) => word),
    ];
    return `    "${each.name}") words="${words.join(' ')}" ;;`;
  });
  const values = new Map(
    all
      .flatMap(({ command }) => flagsOf(command.options))
      .flatMap(({ word, choices }) => (choices.length > 0 ? [[word, choices.join(' ')]] : [])),
  );
  const valueCases = [...values].map(
    ([word, choices]) =>
      `    ${word}) COMPREPLY=($(compgen -W "${choices}" -- "$current")); return ;;`,
  );
  const second = groups.map(
    (group) =>
      `    ${group}) words="${secondWords(all, group)
        .map(({ name }) => name.split(' ')[1])
        .join(' ')}" ;;`,
  );
  return `# bash completion for ${NAME}: eval "$(${NAME} completion bash)"
_keypool_mcp() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local first="\${COMP_WORDS[1]}" words=""
  COMPREPLY=()
  case "$before" in
${valueCases.join('\n')}
    --home|--store|--dotenv|--out) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...firstWords(all).keys()].join(' ')} --help --version" -- "$current"))
    return
  fi
  case "$first" in
${second.join('\n')}
    *) words="" ;;
  esac
  if [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  [ -n "$words" ] && first="$first \${COMP_WORDS[2]}"
  words=""
  case "$first" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$current" in -*) ;; *) [ "\${#COMPREPLY[@]}" -eq 0 ] && COMPREPLY=($(compgen -f -- "$current")) ;; esac
}
complete -o filenames -F _keypool_mcp ${NAME}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** `name:what it is`, as zsh's _describe takes it. */
const described = (word: string, about: string): string =>
  quoted(`${word.replaceAll(':', '\\:')}:${about}`);

function zsh(all: readonly Completed[]): string {
  const list = (rows: Iterable<readonly [string, string]>): string =>
    [...rows].map(([word, about]) => described(word, about)).join(' ');
  const second = groupsOf(all).map((group) => {
    const rows = secondWords(all, group).map(({ name, summary }): readonly [string, string] => [
      name.split(' ')[1] ?? '',
      summary,
    ]);
    return `    ${group}) words=(${list(rows)}); (( CURRENT == 3 )) && { _describe command words; return }; first="$first $words[3]" ;;`;
  });
  const cases = all.map((each) => {
    const choices = argumentChoices(each).map((word): readonly [string, string] => [word, word]);
    const flags = flagsOf(each.command.options).map(
      ({ word, about }): readonly [string, string] => [word, about],
    );
    return `    ${quoted(each.name)}) choices=(${list(choices)}); flags=(${list(flags)}) ;;`;
  });
  return `#compdef ${NAME}
# zsh completion: ${NAME} completion zsh > "\${fpath[1]}/_${NAME}"
_keypool_mcp() {
  local -a commands choices flags words_below
  local first="$words[2]"
  commands=(${list(firstWords(all))})
  (( CURRENT == 2 )) && { _describe command commands; return }
  case "$first" in
${second.join('\n').replaceAll('words=(', 'words_below=(').replaceAll('_describe command words;', '_describe command words_below;')}
  esac
  case "$first" in
${cases.join('\n')}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then _describe flag flags
  elif (( $#choices )); then _describe argument choices
  else _files; fi
}
if [ "$funcstack[1]" = "_${NAME}" ]; then _keypool_mcp "$@"; else compdef _keypool_mcp ${NAME}; fi
`;
}

function fish(all: readonly Completed[]): string {
  const rows = [...firstWords(all)].map(
    ([word, about]) =>
      `complete -c ${NAME} -f -n __fish_use_subcommand -a ${word} -d ${quoted(about)}`,
  );
  for (const group of groupsOf(all)) {
    const below = secondWords(all, group);
    const names = below.map(({ name }) => name.split(' ')[1] ?? '');
    const none = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${names.join(' ')}`;
    for (const { name, summary } of below) {
      rows.push(
        `complete -c ${NAME} -f -n '${none}' -a ${name.split(' ')[1]} -d ${quoted(summary)}`,
      );
    }
  }
  for (const each of all) {
    const seen = each.name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const choice of argumentChoices(each)) {
      rows.push(`complete -c ${NAME} -f -n '${seen}' -a ${choice}`);
    }
    for (const { word, about, choices, takesValue } of flagsOf(each.command.options)) {
      const values = choices.length > 0 ? ` -a ${quoted(choices.join(' '))}` : '';
      const value = takesValue ? ' -r' : '';
      rows.push(
        `complete -c ${NAME} -n '${seen}' -l ${word.slice(2)}${value}${values} -d ${quoted(about)}`,
      );
    }
  }
  return `# fish completion: ${NAME} completion fish > ~/.config/fish/completions/${NAME}.fish\n${rows.join('\n')}\n`;
}

const WRITERS: Readonly<Record<Shell, (all: readonly Completed[]) => string>> = { bash, zsh, fish };

export function completionScript(shell: Shell, all: readonly Completed[]): string {
  return WRITERS[shell](all);
}
