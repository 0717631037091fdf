import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { systemCode } from '../../base/system-error.ts';
import { loadConfig } from '../../config.ts';
import { writeFailure } from '../../disk/failures.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openConfiguredStore } from '../composition/open-store.ts';

async function writeNew(path: string, text: string): Promise<void> {
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw writeFailure(path, cause);
    throw new ConfigError(`${path} exists, and an export replaces nothing`, {
      cause,
      hint: 'give --out the name of a new file',
    });
  }
}

async function run(input: CommandInput): Promise<number> {
  const { format, out } = input.values;
  if (format !== undefined && format !== 'fernet') {
    throw new ConfigError('the export format is unknown', { hint: 'use --format fernet' });
  }
  const store = await openConfiguredStore(loadConfig(input.flags, input.env));
  const text = await store.exportFernet();
  if (typeof out === 'string') {
    const path = resolve(out);
    await writeNew(path, text);
    print(`Exported ${store.list().length} keys to ${path}`);
  } else process.stdout.write(text);
  const labelled = store.list().filter((entry) => entry.account !== null);
  if (labelled.length > 0)
    tell('The flat format has no place for account labels; they stay behind.');
  return 0;
}

export const command: Command = {
  help: `Writes the keys as the flat Fernet file that other programs read, encrypted under the same master
key: to standard output, or with --out to a new file. The store is not changed.

  --format fernet   the only format there is
  --out FILE        must not exist yet`,
  options: { format: { type: 'string' }, out: { type: 'string' } },
  positionals: [0, 0],
  run,
};
