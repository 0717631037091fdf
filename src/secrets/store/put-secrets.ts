/** Adding and replacing secrets: documents in, documents out. */

import { KeyStoreError } from '../../base/errors.ts';
import { isKeyName } from '../../base/keys/key-names.ts';
import type { MasterKey } from '../master-key.ts';
import { checkAccount, checkName, checkValue } from '../names.ts';
import { SealedDocument } from '../sealed/sealed-format.ts';
import type { OpenedDocument } from './open-document.ts';

export interface NewSecret {
  readonly name: string;
  readonly value: string;
  /** undefined keeps what stands there. */
  readonly account?: string | null | undefined;
}

export type PutOutcome = 'added' | 'replaced' | 'unchanged';

/** @throws KeyStoreError invalid_name, invalid_value */
export function checkSecrets(secrets: readonly NewSecret[]): void {
  for (const { name, value, account } of secrets) {
    checkName(name);
    checkValue(name, value);
    if (typeof account === 'string') checkAccount(account);
  }
}

function outcomeOf(document: OpenedDocument, secret: NewSecret): PutOutcome {
  if (document.format === 'fernet' && typeof secret.account === 'string') {
    throw new KeyStoreError('invalid_value', 'a legacy store has no place for an account label', {
      hint: 'run keypool-mcp keys migrate first, or leave --account out',
    });
  }
  const old = document.secrets.get(secret.name);
  if (old === undefined) return 'added';
  const isSameAccount = secret.account === undefined || secret.account === old.account;
  return old.value === secret.value && isSameAccount ? 'unchanged' : 'replaced';
}

export interface PutResult {
  /** The document that was given when nothing changes. */
  readonly document: OpenedDocument;
  readonly outcomes: ReadonlyMap<string, PutOutcome>;
}

/**
 * A value that stays keeps its date.
 *
 * @throws KeyStoreError invalid_value for an account label in a legacy store
 */
export function withSecrets(
  document: OpenedDocument,
  secrets: readonly NewSecret[],
  now: Date,
): PutResult {
  const outcomes = new Map<string, PutOutcome>();
  let next = document;
  for (const secret of secrets) {
    const { name, value } = secret;
    const old = next.secrets.get(name);
    const outcome = outcomeOf(next, secret);
    outcomes.set(name, outcome);
    if (outcome === 'unchanged') continue;
    const account = secret.account === undefined ? (old?.account ?? null) : secret.account;
    const createdAt = old?.value === value ? old.createdAt : now.toISOString();
    next = next.withSecret(name, { value, account, createdAt });
  }
  return { document: next, outcomes };
}

/**
 * The secrets of a legacy file as a v2 document.
 *
 * @throws KeyStoreError invalid_name for a name that only the legacy form takes
 */
export async function sealedFrom(
  document: OpenedDocument,
  master: MasterKey,
): Promise<SealedDocument> {
  let next = await SealedDocument.create(master);
  for (const [name, secret] of document.secrets) {
    // A name that the pool would not use is kept all the same: `keys rename` mends it.
    if (!isKeyName(name)) checkName(name);
    next = next.withSecret(name, secret);
  }
  return next;
}

/** The document with one secret under another name; see `KeyStore.rename`. */
export function withRenamed(document: OpenedDocument, name: string, next: string): OpenedDocument {
  const secret = document.secrets.get(name);
  if (secret === undefined) {
    throw new KeyStoreError('unknown_name', 'the key was removed in the meantime', {
      hint: 'keypool-mcp keys list shows the names',
    });
  }
  if (document.secrets.has(next)) {
    throw new KeyStoreError('invalid_name', `there is a key named ${next} already`, {
      hint: `choose another name, or take that one out first: keypool-mcp keys remove ${next}`,
    });
  }
  return document.withSecret(next, secret).withoutSecret(name);
}
