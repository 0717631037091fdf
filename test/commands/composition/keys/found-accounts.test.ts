import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  readFoundAccounts,
  writeFoundAccounts,
} from '../../../../src/commands/composition/keys/found-accounts.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'keypool-test-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it('keeps what was found last, although each finding is written while the one before still is', async () => {
  const account = (count: number) => [
    Array.from({ length: count }, (_, index) => ({ name: `KEY_${index}`, keyId: `00000${index}` })),
  ];
  const findings = Array.from({ length: 20 }, (_, index) => account(index + 2));
  await Promise.all([
    ...findings.map((found) => writeFoundAccounts(home, 'deepseek', found)),
    writeFoundAccounts(home, 'perplexity', account(3)),
  ]);
  const kept = await readFoundAccounts(home);
  expect(kept.deepseek?.[0]).toHaveLength(21);
  expect(kept.perplexity?.[0]).toHaveLength(3);
});
