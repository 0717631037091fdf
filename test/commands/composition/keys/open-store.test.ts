import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fakeKey, temporaryFolder } from '../../../../lab/store.ts';
import { until } from '../../../../lab/until.ts';
import { silentLogger } from '../../../../src/base/logger.ts';
import { LiveConfig } from '../../../../src/commands/composition/home/live-config.ts';
import { followConfiguredStore } from '../../../../src/commands/composition/keys/open-store.ts';
import { loadConfig } from '../../../../src/config.ts';

it('sees what was written into the settings before anything watched them', async () => {
  const home = temporaryFolder();
  const [flags, env] = [{ home }, {}];
  const live = new LiveConfig({ config: loadConfig(flags, env), flags, env, logger: silentLogger });
  writeFileSync(join(home, '.env'), `DEEPSEEK_API_KEY=${fakeKey()}\n`, { mode: 0o600 });
  const seen: string[] = [];
  const stop = followConfiguredStore(live, {
    onStore: () => undefined,
    onError: (_error, { environmentKeys }) => seen.push(...environmentKeys.keys.keys()),
  });
  onTestFinished(stop);
  await until('the key is seen', () => seen.length > 0);
  expect(seen).toEqual(['DEEPSEEK_API_KEY']);
});
