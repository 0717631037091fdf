/** `demo`: the main job, seen working without a key and without a network. */

import type { Command } from './command.ts';
import { print, tell } from './command.ts';
import { DemoView } from './demo/demo-view.ts';
import { runDemo } from './demo/scenario.ts';

export const command: Command = {
  help: `Starts simulated upstreams on this machine, a temporary encrypted store with four DeepSeek keys
and one Perplexity key, and the real server over stdio; then calls both tools, lets one key fail
and recover, and says what was observed. Exit code 0 only if all of it was.`,
  options: {
    json: {
      type: 'boolean',
      about: 'print a report for programs instead; the story goes to stderr',
    },
  },
  arguments: [],
  run: async ({ values, env }) => {
    const asJson = values.json === true;
    const stream = asJson ? process.stderr : process.stdout;
    const isColored = stream.isTTY === true && (env.NO_COLOR ?? '') === '';
    const controller = new AbortController();
    const interrupt = (): void =>
      controller.abort(new DOMException('The demo was interrupted', 'AbortError'));
    // A second Ctrl-C changes nothing: cleaning takes a moment, and has to be done.
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    const report = await runDemo(new DemoView(asJson ? tell : print, isColored), controller.signal);
    if (asJson) print(JSON.stringify(report, null, 2));
    return report.ok ? 0 : 1;
  },
};
