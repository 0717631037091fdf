/**
 * Opens the page through a file of mode 0600 that leads to it: every process of the machine can
 * read a command line, and the link holds the token.
 */

import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../../config.ts';
import { tell } from '../command.ts';

/** Until the browser has read the file. */
export const OPENED_MS = 4_000;

/** What a browser needs of its user's session. Keys, tokens and settings of ours are not among it. */
const NEEDED =
  /^(?:PATH|HOME|USER|LOGNAME|USERNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_[A-Z_]+|DBUS_SESSION_BUS_ADDRESS|BROWSER|DESKTOP_SESSION|GNOME_[A-Z_]+|KDE_[A-Z_]+|WSL_[A-Z_]+|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES|USERPROFILE|HOMEDRIVE|HOMEPATH)$/i;

function sessionOf(env: Environment): Record<string, string> {
  const needed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && NEEDED.test(name)) needed[name] = value;
  }
  return needed;
}

/** What opens a file in the person's browser; null where nobody sits before a screen. */
function opener(env: Environment): { command: string; args: string[] } | null {
  if (process.platform === 'darwin') return { command: 'open', args: [] };
  if (process.platform === 'win32') return { command: 'explorer.exe', args: [] };
  const hasScreen = (env.DISPLAY ?? '') !== '' || (env.WAYLAND_DISPLAY ?? '') !== '';
  return hasScreen ? { command: 'xdg-open', args: [] } : null;
}

export function hasBrowser(env: Environment): boolean {
  return opener(env) !== null;
}

/** Takes the file away in any case: this process may be killed before its time. */
function sweepLater(path: string, env: Environment): void {
  const code = `setTimeout(() => require('node:fs').rmSync(process.argv[1], { force: true }), ${OPENED_MS})`;
  const sweeper = spawn(process.execPath, ['-e', code, path], {
    stdio: 'ignore',
    detached: true,
    env: sessionOf(env),
  });
  sweeper.on('error', () => {});
  sweeper.unref();
}

/** @returns forgets the file */
export function openPage(link: string, home: string, env: Environment): () => void {
  const found = opener(env);
  if (found === null) return () => {};
  const path = join(home, 'dashboard.html');
  // The token is base64url or was percent-encoded: nothing in the link can end the attribute.
  const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${link}"><title>Keypool</title>\n`;
  rmSync(path, { force: true });
  sweepLater(path, env);
  writeFileSync(path, page, { mode: 0o600, flag: 'wx' });
  const child = spawn(found.command, [...found.args, pathToFileURL(path).href], {
    stdio: 'ignore',
    detached: true,
    env: sessionOf(env),
  });
  child.on('error', () => tell('No browser could be opened; open the link yourself.'));
  child.unref();
  return () => rmSync(path, { force: true });
}
