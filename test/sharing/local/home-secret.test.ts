import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { DiskError } from '../../../src/base/errors.ts';
import { homeSecret } from '../../../src/sharing/local/home-secret.ts';

async function refusal(folder: string): Promise<DiskError> {
  const error = await homeSecret(folder).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof DiskError) return error;
  throw new Error('expected a DiskError');
}

describe('the secret of a home', () => {
  it('is made once, for its owner alone, however many come at once', async () => {
    const folder = temporaryFolder();
    const secrets = await Promise.all(Array.from({ length: 8 }, () => homeSecret(folder)));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
    expect(await homeSecret(folder)).toEqual(secrets[0]);
    expect(readdirSync(folder)).toEqual(['secret']);
    expect(statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.platform === 'win32')('that others can read is none', async () => {
    const folder = temporaryFolder();
    await homeSecret(folder);
    chmodSync(join(folder, 'secret'), 0o644);
    const error = await refusal(folder);
    expect(error.message).toContain('others can read');
    expect(error.hint).toContain('delete it');
  });

  it.each(['', 'short', 'x'.repeat(44), '\u0000'.repeat(43), 'x'.repeat(5_000)])(
    'that is damaged is left as it is, and said: %j',
    async (text) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'secret'), text, { mode: 0o600 });
      expect((await refusal(folder)).message).toContain(join(folder, 'secret'));
      expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe(text);
    },
  );
});
