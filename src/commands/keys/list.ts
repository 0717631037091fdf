import type { StoreEntry } from '../../secrets/key-store.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';
import { table } from '../terminal/table.ts';

function asJson(entry: StoreEntry) {
  return {
    name: entry.name,
    masked: entry.masked,
    key_id: entry.keyId,
    account: entry.account,
    created: entry.createdAt,
  };
}

function asRow(entry: StoreEntry): string[] {
  const created = entry.createdAt?.slice(0, 10) ?? '-';
  return [entry.name, entry.masked, entry.keyId, entry.account ?? '-', created];
}

async function run(input: CommandInput): Promise<number> {
  const store = await openStoreOf(input);
  const entries = store.list();
  if (input.values.json === true) {
    print(JSON.stringify(entries.map(asJson), null, 2));
    return 0;
  }
  if (entries.length === 0) {
    tell(`The key store ${store.path} is empty. Next: keypool-mcp keys add DEEPSEEK_API_KEY`);
    return 0;
  }
  print(table(['NAME', 'VALUE', 'KEY ID', 'ACCOUNT', 'CREATED'], entries.map(asRow)));
  return 0;
}

export const command: Command = {
  help: `Shows the names, the key ids (last six characters) and what else the store knows; never a value.`,
  options: {
    json: {
      type: 'boolean',
      about: 'for programs: an array of {name, masked, key_id, account, created}',
    },
  },
  arguments: [],
  run,
};
