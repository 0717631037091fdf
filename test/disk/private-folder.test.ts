import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { DiskError } from '../../src/base/errors.ts';
import { privateFolder } from '../../src/disk/private-folder.ts';

const newPath = (): string => join(temporaryFolder(), 'deep', 'run');
const beside = (): string => join(temporaryFolder(), 'run');

async function refusal(path: string): Promise<DiskError> {
  const error = await privateFolder(path).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof DiskError) return error;
  throw new Error('expected a DiskError');
}

describe.skipIf(process.platform === 'win32')('a folder of one user alone', () => {
  it('is made with those above it, and found again', async () => {
    const path = newPath();
    await privateFolder(path);
    await privateFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('is closed to others where it was open', async () => {
    const path = beside();
    mkdirSync(path);
    chmodSync(path, 0o755);
    await privateFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('is no file, and no link', async () => {
    const file = beside();
    writeFileSync(file, '');
    expect((await refusal(file)).code).toBe('not_a_file');
    const link = beside();
    symlinkSync(temporaryFolder(), link);
    expect((await refusal(link)).code).toBe('not_a_file');
  });

  it("is not somebody else's", async ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root can give a folder away');
    const path = beside();
    mkdirSync(path);
    chownSync(path, 12_345, 12_345);
    const error = await refusal(path);
    expect(error.message).toContain('belongs to another user');
    expect(statSync(path).uid).toBe(12_345);
  });
});
