/**
 * Changes a store again and again until somebody kills it; prints a line after each change that is
 * done. Bundled and run by the durability test and benchmark.
 *
 * argv: mode, folder, prefix of key names, number of changes (0: without end)
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setVariable } from '../../src/commands/composition/home/settings-file.ts';
import { withFileLock } from '../../src/disk/file-lock.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { rotateMaster } from '../../src/secrets/rotation.ts';

const [mode = '', folder = '', prefix = 'K', count = '0'] = process.argv.slice(2);
const path = join(folder, 'store.json');
const settings = join(folder, '.env');
const VARIABLE = 'MASTER_ENCRYPTION_KEY';

const masterKey = () => ({
  value: {
    variable: VARIABLE,
    file: settings,
    text: readFileSync(settings, 'utf8')
      .trim()
      .slice(VARIABLE.length + 1),
  },
  file: null,
  command: null,
});
const open = () => KeyStore.open({ path, masterKey: masterKey(), masterKeyNow: masterKey });
const done = (what: string): void => void process.stdout.write(`${what}\n`);
const value = (index: number): string => `test-value-${prefix}-${index}-0123456789`;

async function add(store: KeyStore, index: number): Promise<void> {
  const name = `${prefix}_${index}`;
  await store.put(name, value(index));
  done(`+ ${name}`);
}

async function remove(store: KeyStore, index: number): Promise<void> {
  await add(store, index);
  done(`? ${prefix}_${index}`);
  await store.remove(`${prefix}_${index}`);
  done(`- ${prefix}_${index}`);
}

async function rotate(): Promise<void> {
  await withFileLock(settings, (lock) => {
    const switchTo = (text: string): Promise<void> => setVariable(settings, VARIABLE, text, lock);
    return rotateMaster({ paths: [path], masterKey, switchTo });
  });
  done('rotated');
}

/** Puts the legacy file back in one step, so that every moment of the loop is one of the real ones. */
async function migrate(): Promise<void> {
  const store = await open();
  const flat = await store.exportFernet();
  await store.migrate();
  done('migrated');
  const beside = join(folder, 'flat-again.json');
  writeFileSync(beside, flat);
  renameSync(beside, path);
}

const store = await open();
done('ready');
for (let index = 0; count === '0' || index < Number(count); index++) {
  if (mode === 'add') await add(store, index);
  else if (mode === 'remove') await remove(store, index);
  else if (mode === 'rotate') await rotate();
  else await migrate();
}
