/** `dashboard`: the link to the page, and a server for it where none runs. */

import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../base/errors.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Command, type CommandInput, printSecret, tell } from './command.ts';
import { readRecord, recordPath } from './http/http-record.ts';
import { HTTP_OPTIONS, httpOptions, runHttpServer } from './http/http-server.ts';
import { findHttpToken } from './http/http-token.ts';

const PROBE_MS = 3_000;
/** Until the browser has read the file that leads to the page. */
const OPENED_MS = 4_000;

function linkTo(url: string, token: string): string {
  return `${url}/dashboard#token=${encodeURIComponent(token)}`;
}

/** What opens a file in the person's browser; null where nobody sits before a screen. */
function opener(env: CommandInput['env']): { command: string; args: string[] } | null {
  if (process.platform === 'darwin') return { command: 'open', args: [] };
  if (process.platform === 'win32') return { command: 'explorer.exe', args: [] };
  const hasScreen = (env.DISPLAY ?? '') !== '' || (env.WAYLAND_DISPLAY ?? '') !== '';
  return hasScreen ? { command: 'xdg-open', args: [] } : null;
}

/**
 * Opens the page through a file of mode 0600 that leads to it: every process of the machine can
 * read a command line, and the link holds the token.
 *
 * @returns forgets the file
 */
function openPage(link: string, config: Config, env: CommandInput['env']): () => void {
  const found = opener(env);
  const path = join(config.home, 'dashboard.html');
  if (found === null) return () => {};
  // The token is base64url or was percent-encoded: nothing in the link can end the attribute.
  const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${link}"><title>Keypool</title>\n`;
  rmSync(path, { force: true });
  writeFileSync(path, page, { mode: 0o600 });
  const child = spawn(found.command, [...found.args, pathToFileURL(path).href], {
    stdio: 'ignore',
    detached: true,
  });
  child.on('error', () => tell('No browser could be opened; open the link yourself.'));
  child.unref();
  return () => rmSync(path, { force: true });
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

async function runningServer(input: CommandInput, config: Config): Promise<string | null> {
  const record = readRecord(recordPath(config.home));
  if (record === null) return null;
  const { port } = input.values;
  return port === undefined || new URL(record.url).port === port ? record.url : null;
}

async function run(input: CommandInput): Promise<number> {
  const config = loadConfig(input.flags, input.env);
  const shouldOpen = input.values.open !== false;
  const show = (url: string, token: string): (() => void) => {
    const link = linkTo(url, token);
    printSecret(link);
    return shouldOpen ? openPage(link, config, input.env) : () => {};
  };
  const running = await runningServer(input, config);
  if (running !== null) {
    const { token } = await findHttpToken(config);
    if (await isServing(running, token)) {
      const forget = show(running, token);
      if (shouldOpen && opener(input.env) !== null) {
        await new Promise((resolve) => setTimeout(resolve, OPENED_MS));
      }
      forget();
      return 0;
    }
  }
  let forget = (): void => {};
  tell('No server runs yet; this one serves until it is interrupted (Ctrl-C).');
  try {
    return await runHttpServer({
      ...httpOptions(input),
      onListening: (url, token) => {
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
share it.

  --host ADDRESS      where to listen (127.0.0.1)
  --port NUMBER       the port (8787)
  --allow-host NAME   a further name that the server is reached by; may be given again
  --no-open           print the link, open nothing`,
  options: { ...HTTP_OPTIONS, open: { type: 'boolean' } },
  positionals: [0, 0],
  run,
};
