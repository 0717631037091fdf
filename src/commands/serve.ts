import type { Command } from './command.ts';

export const command: Command = {
  help: 'Serves both tools on stdin and stdout until the client leaves.',
  options: {},
  positionals: [0, 0],
  run: () => Promise.resolve(0),
};
