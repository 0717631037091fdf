import { ConfigError } from '../base/errors.ts';
import { type Command, type CommandInput, print } from './command.ts';
import { completionScript, SHELLS } from './command-line/completion-scripts.ts';

async function run({ positionals, commands }: CommandInput): Promise<number> {
  const shell = SHELLS.find((each) => each === positionals[0]);
  if (shell === undefined) {
    throw new ConfigError('unknown shell', { hint: `use one of ${SHELLS.join(', ')}` });
  }
  const all = await Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const { command } = await load();
      return { name, summary, command };
    }),
  );
  print(completionScript(shell, all).trimEnd());
  return 0;
}

export const command: Command = {
  help: `Prints a script that lets the shell complete commands, flags and the values of some.

bash: add eval "$(keypool-mcp completion bash)" to ~/.bashrc.

zsh: keypool-mcp completion zsh > "\${fpath[1]}/_keypool-mcp", then open a new shell.

fish: keypool-mcp completion fish > ~/.config/fish/completions/keypool-mcp.fish.`,
  options: {},
  arguments: [{ name: 'SHELL', choices: SHELLS }],
  run,
};
