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

/** What a desktop program needs to find screen, files and language; nothing of ours or of others. */
const FOR_BROWSER =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|SHELL|TERM|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|BROWSER|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|TMPDIR|TEMP|TMP|SystemRoot|SystemDrive|windir|ComSpec|PATHEXT|APPDATA|LOCALAPPDATA|USERPROFILE|ProgramFiles\S*|ProgramData)$/i;

function browserEnvironment(env: CommandInput['env']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && FOR_BROWSER.test(name)) kept[name] = value;
  }
  return kept;
}

/** Starts a program that outlives this one and gets nothing of it but what is in `env`. */
function startDetached(command: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(command, args, { stdio: 'ignore', detached: true, env });
  child.unref();
  return child;
}

const REMOVE = `setTimeout(() => fs.rmSync(process.argv[1], { force: true }), ${OPENED_MS})`;

/**
 * Opens the page through a file of mode 0600 that leads to it: every process of the machine can
 * read a command line, and the link holds the token. The file goes when the browser has had its
 * time, by a process of its own: this one may be killed before.
 */
function openPage(link: string, config: Config, env: CommandInput['env']): void {
  const found = opener(env);
  if (found === null) return;
  const path = join(config.home, 'dashboard.html');
  // The token is base64url or was percent-encoded: nothing in the link can end the attribute.
  const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${link}"><title>Keypool</title>\n`;
  rmSync(path, { force: true });
  writeFileSync(path, page, { mode: 0o600, flag: 'wx' });
  const clean = browserEnvironment(env);
  startDetached(process.execPath, ['-e', REMOVE, path], clean);
  startDetached(found.command, [...found.args, pathToFileURL(path).href], clean).on('error', () =>
    tell('No browser could be opened; open the link yourself.'),
  );
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
  const show = (url: string, token: string): void => {
    const link = linkTo(url, token);
    printSecret(link);
    if (shouldOpen) openPage(link, config, input.env);
  };
  const running = await runningServer(input, config);
  if (running !== null) {
    const { token } = await findHttpToken(config);
    if (await isServing(running, token)) {
      show(running, token);
      return 0;
    }
  }
  tell('No server runs yet; this one serves until it is interrupted (Ctrl-C).');
  return runHttpServer({ ...httpOptions(input), onListening: show });
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
