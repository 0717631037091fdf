/** `serve`: the composition root of the MCP server. */

import { loadConfig } from '../config.ts';
import { createLogger } from '../logger.ts';
import { Redactor } from '../redact.ts';
import { serveStdio } from '../server/stdio.ts';
import { NAME, VERSION } from '../version.ts';
import type { Command } from './command.ts';
import { createHost, LazyRuntime } from './host.ts';

/** Long enough for a client's first messages to be answered, too short for a person to call. */
const OPEN_AFTER_MS = 50;

export const command: Command = {
  help: `Serves both tools on stdin and stdout until the client leaves. Starts without a store and
without a key; a tool then answers with what to do. Log lines are JSON on stderr.`,
  options: {},
  positionals: [0, 0],
  run: async ({ flags, env }) => {
    const config = loadConfig(flags, env);
    const redactor = new Redactor();
    const logger = createLogger({ level: config.logLevel, redactor });
    const options = { flags, env, config, logger, redactor };
    const runtime = new LazyRuntime(options);
    logger.info(`${NAME} ${VERSION} serves on stdio`, {
      environment: config.environment,
      store: config.storePath,
    });
    const serving = serveStdio({
      input: process.stdin,
      output: process.stdout,
      logger,
      host: createHost(runtime, options),
    });
    // Opened behind the handshake, so that the first call finds its keys.
    setTimeout(() => {
      runtime.get().catch((error: unknown) => logger.error('The pool cannot be built', { error }));
    }, OPEN_AFTER_MS).unref();
    const code = await serving;
    await runtime.close();
    return code;
  },
};
