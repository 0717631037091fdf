/** Changes one variable of a `.env` file and leaves every other line as it is. */

import { parse as parseDotenv } from 'dotenv';
import { ConfigError, DiskError } from '../../../base/errors.ts';
import { decodeText } from '../../../base/text/decode-text.ts';
import type { FileLock } from '../../../disk/file-lock.ts';
import { resolveLinks } from '../../../disk/links.ts';
import { readWholeFile } from '../../../disk/read-file.ts';
import { replaceFile, sweepOrphans } from '../../../disk/replace-file.ts';

const MAX_SETTINGS_BYTES = 1024 * 1024;

/** Pure: the text with `variable` set once, in the place of its last line or at the end. */
export function withVariable(text: string, variable: string, value: string): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const isAssignment = new RegExp(`^\\s*(?:export\\s+)?${variable}\\s*=`);
  const lines = text === '' ? [] : text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const last = lines.findLastIndex((line) => isAssignment.test(line));
  const line = `${variable}=${value}`;
  if (last === -1) return [...lines, line, ''].join(eol);
  return [
    // An earlier line would be an old secret that nothing reads any more.
    ...lines.slice(0, last).filter((other) => !isAssignment.test(other)),
    line,
    ...lines.slice(last + 1),
    '',
  ].join(eol);
}

/**
 * Sets the variable in the file, which becomes readable for its owner alone. Atomic: a reader sees
 * the old file or the new one.
 *
 * @param lock of the file, held by the caller
 * @throws DiskError write_failed, lock_lost, or what keeps the file from being read; ConfigError
 *   when it would not read back as it should
 */
export async function setVariable(
  path: string,
  variable: string,
  value: string,
  lock: FileLock,
): Promise<void> {
  const file = await resolveLinks(path);
  const before = await readWholeFile(file, MAX_SETTINGS_BYTES).then(
    ({ bytes }) => decodeText(bytes)?.text ?? bytes.toString('utf8'),
    (error: unknown) => {
      if (error instanceof DiskError && error.code === 'missing') return '';
      throw error;
    },
  );
  const after = withVariable(before, variable, value);
  if (parseDotenv(after.replace(/^\uFEFF/, ''))[variable] !== value) {
    throw new ConfigError(`cannot set ${variable} in ${path}`, {
      hint: 'an unclosed quote before it? repair the file and run the command again',
    });
  }
  await sweepOrphans(file);
  await replaceFile(file, after, { lock });
}
