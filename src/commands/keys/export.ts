import { resolve } from 'node:path';
import { ConfigError, DiskError } from '../../base/errors.ts';
import { createFile } from '../../disk/create-file.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

async function run(input: CommandInput): Promise<number> {
  const { format, out } = input.values;
  if (format !== undefined && format !== 'fernet') {
    throw new ConfigError('the export format is unknown', { hint: 'use --format fernet' });
  }
  const store = await openStoreOf(input);
  const text = await store.exportFernet();
  if (typeof out === 'string') {
    const path = resolve(out);
    await createFile(path, text).catch((error: unknown) => {
      if (!(error instanceof DiskError) || error.code !== 'exists') throw error;
      throw new ConfigError(`${path} exists, and an export replaces nothing`, {
        cause: error,
        hint: 'give --out the name of a new file',
      });
    });
    print(`Exported ${store.list().length} keys to ${path}`);
  } else process.stdout.write(text);
  const labelled = store.list().filter((entry) => entry.account !== null);
  if (labelled.length > 0)
    tell('The flat format has no place for account labels; they stay behind.');
  return 0;
}

export const command: Command = {
  help: `Writes the keys as the flat Fernet file that other programs read, encrypted under the same master
key: to standard output, or with --out to a new file. The store is not changed.`,
  options: {
    format: {
      type: 'string',
      value: 'fernet',
      about: 'the only format there is',
      choices: ['fernet'],
    },
    out: { type: 'string', value: 'FILE', about: 'write to a new file; it must not exist yet' },
  },
  arguments: [],
  run,
};
