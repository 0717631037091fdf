/** `serve`: the composition root of the MCP server. */

import { loadConfig } from '../config.ts';
import { KeyStoreError } from '../errors.ts';
import { createLogger } from '../logger.ts';
import { Redactor } from '../redact.ts';
import { serveStdio } from '../server/stdio.ts';
import { NAME, VERSION } from '../version.ts';
import type { Command } from './command.ts';
import { LazyRuntime } from './host.ts';

export const command: Command = {
  help: `Serves both tools on stdin and stdout until the client leaves. Starts without a store and
without a key; a tool then answers with what to do. Log lines are JSON on stderr.`,
  options: {},
  positionals: [0, 0],
  run: async ({ flags, env }) => {
    const config = loadConfig(flags, env);
    const redactor = new Redactor();
    const logger = createLogger({ level: config.logLevel, redactor });
    const runtime = new LazyRuntime({ flags, env, config, logger, redactor });
    logger.info(`${NAME} ${VERSION} serves on stdio`, {
      environment: config.environment,
      store: config.storePath,
    });
    // Opened beside the handshake, so that the first call finds its keys.
    setImmediate(() => {
      runtime.get().catch((error: unknown) => {
        const known = error instanceof KeyStoreError;
        logger.warn('No key can be used yet', {
          reason: known ? error.message : 'internal error',
          next: known ? error.hint : '',
          ...(known ? {} : { error }),
        });
      });
    });
    const code = await serveStdio({
      input: process.stdin,
      output: process.stdout,
      logger,
      host: {
        clients: async () => {
          const { deepseek, perplexity } = await runtime.get();
          return { deepseek, perplexity };
        },
        status: () => runtime.status(),
        redact: (text) => redactor.redact(text),
        models: [...new Set([config.deepseekModel, ...DEEPSEEK_MODELS])],
      },
    });
    await runtime.close();
    return code;
  },
};
