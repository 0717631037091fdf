import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

async function run(input: CommandInput): Promise<number> {
  const store = await openStoreOf(input);
  const legacyPath = await store.migrate();
  if (legacyPath === null) {
    print(`${store.path} is a v2 store already (keys: ${store.list().length})`);
    return 0;
  }
  print(`Migrated ${store.path} to v2 (keys: ${store.list().length}; all read back)`);
  print(`The old file is ${legacyPath}`);
  tell('Delete the old file once no other program reads it; it opens with the same master key.');
  tell(
    'Keys that were ever committed to git, encrypted or not, should be replaced at their provider.',
  );
  if (store.masterKind === 'passphrase') {
    tell('Next: keypool-mcp keys rotate-master replaces the passphrase with a generated key.');
  }
  return 0;
}

export const command: Command = {
  help: `Rewrites a legacy store (a flat file of Fernet tokens) as v2, at the same path and under the same
master key. The old file stays beside it with "legacy" in its name.`,
  options: {},
  arguments: [],
  run,
};
