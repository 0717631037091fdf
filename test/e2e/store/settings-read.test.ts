/** How often the settings file is opened, seen by a preloaded script that counts. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { RawClient, resultOf } from '../../../lab/program/test-client.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { until } from '../../../lab/until.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';

const COUNTER = `
const fs = require('node:fs');
const { openSync } = fs;
fs.openSync = (path, ...rest) => {
  if (String(path).endsWith('.env')) fs.appendFileSync(process.env.COUNTED, 'x');
  return openSync(path, ...rest);
};
require('node:module').syncBuiltinESMExports();
`;

it('the settings are read once before the first call, and once for each change', async () => {
  const secret = canarySecret();
  const simulator = await startSimulator({ seed: 7 });
  onTestFinished(() => simulator.close());
  simulator.addKey(secret, { provider: 'deepseek' });
  const home = await createHome({ simulator, keys: [{ name: 'DEEPSEEK_API_KEY', secret }] });
  onTestFinished(() => home.remove());
  const counter = join(home.tmp, 'counter.cjs');
  const counted = join(home.tmp, 'counted');
  writeFileSync(counter, COUNTER);
  const count = (): number => (existsSync(counted) ? readFileSync(counted).length : 0);
  const client = new RawClient({
    ...home.env,
    COUNTED: counted,
    NODE_OPTIONS: `--require=${counter}`,
  });
  await client.initialize();
  const answer = await client.callTool('deepseek_generate_code', { prompt: 'x' });
  expect(resultOf(answer).isError).toBeUndefined();
  expect(count()).toBe(1);

  const settings = join(home.folder, '.env');
  const text = readFileSync(settings, 'utf8');
  writeFileSync(settings, `${text}DEEPSEEK_API_KEY_2=${canarySecret()}\n`, { mode: 0o600 });
  await until('the new key is there', () => /DEEPSEEK_API_KEY_2/.test(client.program.stderr));
  expect(count()).toBeLessThanOrEqual(3);
  await client.close();
});
