/**
 * Where people keep secrets, by the command-line programs of those places. Each takes the secret
 * by its stdin: every process of the machine can read an argument.
 */

import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { KeyStoreError } from '../../base/errors.ts';
import { readByCommand } from './master-command.ts';
import { explainResult, runProgram } from './run-program.ts';

export const VAULTS = ['keychain', 'secret-service', 'op', 'pass'] as const;
export type Vault = (typeof VAULTS)[number];

interface Entry {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
  /** The command that prints the secret, from what storing it printed; null when it said nothing. */
  readonly command: (output: string) => string | null;
}

const CREATED = z.object({
  id: z.string().check(z.regex(/^\w+$/)),
  vault: z.object({ id: z.string().check(z.regex(/^\w+$/)) }),
});

function createdItem(output: string): string | null {
  try {
    const { id, vault } = CREATED.parse(JSON.parse(output));
    return `op read op://${vault.id}/${id}/password`;
  } catch {
    return null;
  }
}

const ENTRIES: Readonly<Record<Vault, (name: string, secret: string) => Entry>> = {
  // With -i it reads whole commands from stdin; -w alone would take the secret from argv.
  keychain: (name, secret) => ({
    program: 'security',
    args: ['-i'],
    input: `add-generic-password -s keypool-mcp -a ${name} -w ${secret}\n`,
    command: () => `security find-generic-password -s keypool-mcp -a ${name} -w`,
  }),
  'secret-service': (name, secret) => ({
    program: 'secret-tool',
    args: ['store', '--label=keypool-mcp master key', 'service', 'keypool-mcp', 'account', name],
    input: secret,
    command: () => `secret-tool lookup service keypool-mcp account ${name}`,
  }),
  op: (name, secret) => ({
    program: 'op',
    args: ['item', 'create', '--format=json', '-'],
    input: JSON.stringify({
      title: name,
      category: 'PASSWORD',
      fields: [
        {
          id: 'password',
          type: 'CONCEALED',
          purpose: 'PASSWORD',
          label: 'password',
          value: secret,
        },
      ],
    }),
    command: createdItem,
  }),
  pass: (name, secret) => ({
    program: 'pass',
    args: ['insert', '--multiline', `keypool-mcp/${name}`],
    input: `${secret}\n`,
    command: () => `pass show keypool-mcp/${name}`,
  }),
};

const WINDOWS =
  'the programs that Windows has can store a password and cannot print one; --master op works there, and so does any program in MASTER_ENCRYPTION_KEY_COMMAND';

const LEAVE_IT =
  'install it, or leave --master out: the key is then in the .env, which only you can read';

/**
 * Stores a secret under a name that nothing has yet, so that nothing is ever overwritten, and asks
 * for it back.
 *
 * @returns the command that prints it, and the name
 * @throws KeyStoreError bad_master when the program is not there or fails, or gives something else
 */
export async function storeInVault(
  vault: Vault,
  secret: string,
): Promise<{ readonly command: string; readonly name: string }> {
  const name = `keypool-mcp-${randomBytes(4).toString('hex')}`;
  const entry = ENTRIES[vault](name, secret);
  const fail = (what: string, hint: string): KeyStoreError =>
    new KeyStoreError('bad_master', `${entry.program} ${what}; nothing was changed`, { hint });
  const result = await runProgram(entry.program, entry.args, entry.input);
  if (result.ended !== 'well') {
    const { what, hint } = explainResult(result);
    if (process.platform === 'win32' && vault !== 'op') throw fail(what, WINDOWS);
    throw fail(what, result.ended === 'missing' ? LEAVE_IT : hint);
  }
  const command = entry.command(result.output);
  if (command === null) throw fail('did not say where it stored the key', 'is it version 2?');
  const back = await readByCommand(command, `${entry.program}, asked for the stored key,`, true);
  if (back === secret) return { command, name };
  throw fail('gave back something else than it was given', `look at the entry ${name}`);
}
