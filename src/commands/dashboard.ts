/** `dashboard`: the link to the page, and a server for it where none runs. */

import { CommandError } from '../base/errors.ts';
import { type Config, loadConfig } from '../config.ts';
import { isProven } from '../http/proof.ts';
import { type Command, type CommandInput, printSecret, tell } from './command.ts';
import { HTTP_FLAGS } from './http/http-flags.ts';
import { readRecord, recordPath } from './http/http-record.ts';
import { httpOptions, runHttpServer } from './http/http-server.ts';
import { findHttpToken } from './http/http-token.ts';
import { hasBrowser, OPENED_MS, openPage } from './http/open-page.ts';

const PROBE_MS = 3_000;

function linkTo(url: string, token: string): string {
  return `${url}/dashboard#token=${encodeURIComponent(token)}`;
}

/**
 * @returns false when the server does not answer
 * @throws CommandError when it has another token
 */
async function isServing(url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/api/environments`, {
    headers: { Authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(PROBE_MS),
  }).catch(() => null);
  if (response?.status === 401) {
    throw new CommandError(`the server at ${url} has another token`, {
      hint: 'give this command the same KEYPOOL_HTTP_TOKEN as the server',
    });
  }
  return response?.status === 200;
}

/** Ours, and no stranger on a port or with a pid that ours had before it was killed. */
async function runningServer(input: CommandInput, config: Config): Promise<string | null> {
  const record = readRecord(recordPath(config.home));
  if (record === null) return null;
  const { url, secret } = record;
  const { port } = input.values;
  if (port !== undefined && new URL(url).port !== port) return null;
  return (await isProven(url, secret, PROBE_MS)) ? url : null;
}

async function run(input: CommandInput): Promise<number> {
  const config = loadConfig(input.flags, input.env);
  const shouldOpen = input.values.open !== false;
  const show = (url: string, token: string): (() => void) => {
    const link = linkTo(url, token);
    printSecret(link);
    return shouldOpen ? openPage(link, config.home, input.env) : () => {};
  };
  const running = await runningServer(input, config);
  if (running !== null) {
    const { token } = await findHttpToken(config);
    if (await isServing(running, token)) {
      const forget = show(running, token);
      if (shouldOpen && hasBrowser(input.env)) {
        await new Promise((resolve) => setTimeout(resolve, OPENED_MS));
      }
      forget();
      return 0;
    }
  }
  let forget = (): void => {};
  try {
    return await runHttpServer({
      ...httpOptions(input),
      onListening: (url, token) => {
        tell('No server ran yet; this one serves until it is interrupted (Ctrl-C).');
        forget = show(url, token);
        setTimeout(() => forget(), OPENED_MS).unref();
      },
    });
  } finally {
    forget();
  }
}

export const command: Command = {
  help: `Prints the link to the page that shows and manages the keys, and opens it. Where no server runs,
this command serves (as serve --http does) until it is interrupted. The link holds the token: do not
share it.`,
  options: {
    ...HTTP_FLAGS,
    open: { type: 'boolean', about: 'print the link, open nothing', isNegative: true },
  },
  arguments: [],
  run,
};
