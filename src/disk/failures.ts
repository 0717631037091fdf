/** The system's words for what failed on the disk, in ours: what, why, and the next step. */

import { dirname } from 'node:path';
import { DiskError } from '../base/errors.ts';
import { SHORTAGES, systemCode } from '../base/system/system-error.ts';

const READ_FAILURES: Readonly<Record<string, string>> = {
  ...SHORTAGES,
  EACCES: 'no permission',
  EPERM: 'no permission',
  ELOOP: 'it is a link that leads in a circle',
  EIO: 'the disk does not answer',
};

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ...READ_FAILURES,
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'the folder does not exist',
  EISDIR: 'there is a folder of that name',
  EFBIG: 'the file would be too large',
};

/** Every way a read can fail, as an error of ours. */
export function readFailure(path: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause;
  const code = systemCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const hint = 'check the path';
    return new DiskError('missing', `there is no file ${path}`, { cause, hint });
  }
  if (code === 'EISDIR' || code === 'ENXIO') {
    const what = code === 'EISDIR' ? 'a folder' : 'a socket or a device';
    return new DiskError('not_a_file', `${path} is ${what}, not a file`, {
      cause,
      hint: `name the file itself, or take away what stands at ${path}`,
    });
  }
  return new DiskError(
    'unreadable',
    `cannot read ${path}: ${READ_FAILURES[code] ?? (code || 'it failed')}`,
    {
      cause,
      hint:
        code === 'EACCES' || code === 'EPERM' ? `make it yours: ls -l ${path}` : 'check the disk',
    },
  );
}

/** Every way a write can fail, said once: what failed, why, and that nothing was lost. */
export function writeFailure(path: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause;
  const code = systemCode(cause);
  return new DiskError(
    'write_failed',
    `cannot write ${path}: ${WRITE_FAILURES[code] ?? (code || 'it failed')}`,
    {
      cause,
      hint: `nothing was changed; free the disk or the permissions of ${dirname(path)} and try again`,
    },
  );
}
