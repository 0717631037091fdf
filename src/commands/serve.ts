/** `serve`: the composition root of the MCP server. */

import { ConfigError } from '../base/errors.ts';
import { createLogger } from '../base/logger.ts';
import { NAME, VERSION } from '../base/version.ts';
import { loadConfig } from '../config.ts';
import { serveStdio } from '../mcp/stdio/stdio.ts';
import { type Command, type CommandInput, secrets } from './command.ts';
import { logWarnings } from './composition/home/config-warnings.ts';
import { useConfiguration } from './composition/keys/known-secrets.ts';
import { createHost, LazyRuntime } from './composition/lazy-runtime.ts';
import { HTTP_FLAGS } from './http/http-flags.ts';

async function overStdio({ flags, env }: CommandInput): Promise<number> {
  const config = loadConfig(flags, env);
  const redactor = secrets;
  useConfiguration(redactor, config);
  const logger = createLogger({ level: config.logLevel, redactor });
  logWarnings(logger, config);
  const options = { flags, env, config, logger, redactor };
  const runtime = new LazyRuntime(options);
  logger.info(`${NAME} ${VERSION} serves on stdio`, {
    environment: config.environment,
    store: config.storePath,
  });
  const code = await serveStdio({
    input: process.stdin,
    output: process.stdout,
    logger,
    host: createHost(runtime, options),
  });
  await runtime.close();
  return code;
}

/** The HTTP half is heavy; a client on stdio does not wait for it. */
async function overHttp(input: CommandInput): Promise<number> {
  const { httpOptions, runHttpServer } = await import('./http/http-server.ts');
  return runHttpServer(httpOptions(input));
}

export const command: Command = {
  help: `Serves both tools on stdin and stdout until the client leaves. Starts without a store and
without a key; a tool then answers with what to do. Log lines are JSON on stderr.`,
  options: {
    http: {
      type: 'boolean',
      about: 'serve Streamable HTTP at /mcp instead, with /metrics, /healthz and /dashboard',
    },
    ...HTTP_FLAGS,
  },
  arguments: [],
  run: async (input) => {
    const { http, ...forHttp } = input.values;
    if (http === true) return overHttp(input);
    const given = Object.keys(HTTP_FLAGS).filter((name) => name in forHttp);
    if (given.length > 0) {
      throw new ConfigError('--host, --port, --allow-host and --allow-origin belong to --http', {
        hint: 'add --http, or leave them out to serve on stdio',
      });
    }
    return overStdio(input);
  },
};
