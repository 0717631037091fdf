/** The settings file, and whether it can be trusted: it decides where keys are sent. */

import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { ConfigError, DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { decodeText } from '../base/text/decode-text.ts';
import { readWholeFileSync } from '../disk/read-file.ts';
import { type Environment, isSecretVariable } from './environment.ts';

const MAX_BYTES = 1024 * 1024;
const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o044;
const WORLD_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const STICKY = 0o1000;

/** Something that works and should not be left as it is. */
export interface ConfigWarning {
  readonly message: string;
  readonly hint: string;
}

export interface DotenvFile {
  readonly values: Environment;
  readonly warnings: readonly ConfigWarning[];
}

/** Root may use anybody's files: a container often runs as root on a mounted folder. */
function isForeign(info: Stats): boolean {
  const own = process.getuid?.() ?? 0;
  return own !== 0 && info.uid !== own && info.uid !== 0;
}

/** @throws ConfigError when somebody else can write the file */
function refuseForeignWriters(path: string, info: Stats): void {
  if (process.platform === 'win32') return;
  if (isForeign(info)) {
    throw new ConfigError(`${path} belongs to another user, and it decides where keys are sent`, {
      hint: 'name a settings file of your own with --dotenv, or another home with --home',
    });
  }
  if ((info.mode & OTHERS_WRITE) === 0) return;
  throw new ConfigError(`others can write ${path}, which decides where keys are sent`, {
    hint: `look at what it says, then run: chmod 600 ${path}`,
  });
}

function infoOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/**
 * Whoever can write a folder can put another settings file there. Where only the owner of a file
 * may replace it (/tmp), the file's own owner tells.
 *
 * @throws ConfigError when everybody can
 */
export function folderWarnings(folder: string): readonly ConfigWarning[] {
  const info = infoOf(folder);
  if (process.platform === 'win32' || info === null || (info.mode & STICKY) !== 0) return [];
  const hint = `run: chmod 700 ${folder}`;
  if ((info.mode & WORLD_WRITE) !== 0) {
    throw new ConfigError(`everybody can write ${folder}, where the settings file is`, { hint });
  }
  if ((info.mode & GROUP_WRITE) === 0) return [];
  return [{ message: `your group can write ${folder}, where the settings file is`, hint }];
}

/** Where the settings file lies, and where it leads to if it is a link. */
export function foldersOf(path: string): readonly string[] {
  try {
    return [dirname(path), dirname(realpathSync(path))];
  } catch {
    return [dirname(path)];
  }
}

/** A folder on the way that may not be entered: whether there is a file, nobody can say. */
function cannotEnter(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === 'EACCES';
  }
}

function unreadable(path: string, mustExist: boolean, cause: DiskError): DotenvFile {
  if (!mustExist) {
    if (cause.code === 'missing') return { values: {}, warnings: [] };
    if (cannotEnter(path)) {
      const message = `the home folder ${dirname(path)} cannot be entered: no permission`;
      const hint = 'name a folder of your own with --home or KEYPOOL_HOME; is HOME yours?';
      return { values: {}, warnings: [{ message, hint }] };
    }
  }
  const isMissing = cause.code === 'missing';
  throw new ConfigError(
    isMissing ? `the settings file ${path} does not exist` : `the settings file: ${cause.message}`,
    {
      cause,
      hint: isMissing ? 'check the path given with --dotenv, or leave the flag out' : cause.hint,
    },
  );
}

function secretWarnings(path: string, info: Stats, values: Environment): ConfigWarning[] {
  if (process.platform === 'win32' || (info.mode & OTHERS_READ) === 0) return [];
  const names = Object.entries(values)
    .filter(([name, value]) => isSecretVariable(name, value ?? '') && value !== '')
    .map(([name]) => name);
  if (names.length === 0) return [];
  const message = `others can read ${path}, which holds ${names.join(', ')}`;
  return [{ message, hint: `run: chmod 600 ${path}` }];
}

/**
 * Reads the settings file.
 *
 * @param mustExist somebody named it
 * @throws ConfigError when it cannot be read, is no text, or others can write it
 */
export function readDotenv(path: string, mustExist: boolean): DotenvFile {
  let bytes: Buffer;
  let info: Stats;
  try {
    ({ bytes, info } = readWholeFileSync(path, MAX_BYTES));
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    return unreadable(path, mustExist, cause);
  }
  refuseForeignWriters(path, info);
  const decoded = decodeText(bytes);
  if (decoded === null) {
    throw new ConfigError(`the settings file ${path} is not a text`, {
      hint: 'write it as UTF-8: NAME=value, one in a line',
    });
  }
  const values = parseDotenv(decoded.text);
  return { values, warnings: secretWarnings(path, info, values) };
}
