/**
 * The v2 file. A random data key per file encrypts the entries; each master key ("recipient")
 * wraps the data key; a MAC holds the whole together.
 *
 * What that refuses: a value under another name (the name is authenticated with the entry), an
 * entry rolled back, deleted or renamed (MAC over the file), a lowered derivation cost (part of the
 * recipient's authenticated header, with a floor and a cap that are checked before any work).
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { KeyStoreError } from '../../base/errors.ts';
import { canonicalJson, encodeBase64url, type JsonObject } from '../encoding.ts';
import { KEY_BYTES, subKey } from '../key-derivation.ts';
import type { MasterKey } from '../master-key.ts';
import type { StoreDocument, StoredSecret } from '../store/document.ts';
import { openBox, sealBox } from './sealed-box.ts';
import { unwrapKey, wrapKey } from './sealed-recipient.ts';
import {
  parseSealed,
  type Recipient,
  type SealedEntry,
  type SealedFile,
  STORE_FORMAT,
  STORE_VERSION,
} from './sealed-syntax.ts';

const FILE_ID_BYTES = 16;

type SecretMap = ReadonlyMap<string, StoredSecret>;

interface Keys {
  readonly dataKey: Buffer;
  readonly entryKey: Buffer;
  readonly macKey: Buffer;
}

function keysOf(dataKey: Buffer, fileId: string): Keys {
  const salt = Buffer.from(fileId, 'base64url');
  return {
    dataKey,
    entryKey: subKey(dataKey, salt, 'keypool-store v2 entries'),
    macKey: subKey(dataKey, salt, 'keypool-store v2 mac'),
  };
}

/** Ties a ciphertext to this file, this name and everything the entry says in clear. */
function entryContext(fileId: string, name: string, entry: JsonObject): Buffer {
  const { ciphertext: _, ...metadata } = entry;
  return Buffer.from(
    canonicalJson({
      format: STORE_FORMAT,
      version: STORE_VERSION,
      file_id: fileId,
      name,
      ...metadata,
    }),
  );
}

function sealEntry(keys: Keys, fileId: string, name: string, secret: StoredSecret): SealedEntry {
  const entry = {
    created: secret.createdAt ?? new Date().toISOString(),
    account: secret.account,
  };
  const context = entryContext(fileId, name, entry);
  return { ...entry, ciphertext: sealBox(keys.entryKey, Buffer.from(secret.value), context) };
}

function macOf(macKey: Buffer, file: JsonObject): Buffer {
  const { mac: _, ...rest } = file;
  return createHmac('sha256', macKey).update(canonicalJson(rest)).digest();
}

function tampered(path: string, what: string): KeyStoreError {
  return new KeyStoreError('tampered', `the key store ${path} was tampered with: ${what}`, {
    hint: 'restore the file from a backup; it was left as it is',
  });
}

/** Decrypts everything; the first entry that does not belong where it stands is named. */
function openEntries(path: string, file: SealedFile, keys: Keys): SecretMap {
  const secrets = new Map<string, StoredSecret>();
  for (const [name, entry] of file.secrets) {
    const context = entryContext(file.fileId, name, { ...entry });
    const plaintext = openBox(keys.entryKey, entry.ciphertext, context);
    if (plaintext === null) {
      throw tampered(path, `the entry ${name} was changed, or moved there from another name`);
    }
    secrets.set(name, {
      value: plaintext.toString('utf8'),
      account: entry.account ?? null,
      createdAt: entry.created,
    });
  }
  return secrets;
}

function wrongMaster(path: string, file: SealedFile, master: MasterKey): KeyStoreError {
  const kdf = master.kind === 'generated' ? 'hkdf-sha256' : 'pbkdf2-sha256';
  const isOtherKind = file.recipients.every((recipient) => recipient.kdf !== kdf);
  const wanted =
    master.kind === 'generated'
      ? 'it was made with a passphrase'
      : 'it wants a generated key (kpm1_…)';
  return new KeyStoreError(
    'wrong_master',
    `the master key does not open the key store ${path}${isOtherKind ? `: ${wanted}` : ''}`,
    {
      hint: 'set MASTER_ENCRYPTION_KEY to the key of this store; if that is the key, the file was changed: restore a backup',
    },
  );
}

interface State {
  readonly fileId: string;
  readonly generation: number;
  readonly recipients: readonly Recipient[];
  readonly entries: ReadonlyMap<string, SealedEntry>;
  readonly secrets: SecretMap;
  readonly keys: Keys;
  /** Label of the recipient that the master key in use opened. */
  readonly openedBy: string;
}

export class SealedDocument implements StoreDocument {
  readonly format = 'sealed';
  readonly #state: State;

  private constructor(state: State) {
    this.#state = state;
  }

  get secrets(): SecretMap {
    return this.#state.secrets;
  }

  get sharingSecret(): Buffer {
    const { keys, fileId } = this.#state;
    const salt = Buffer.from(fileId, 'base64url');
    return subKey(keys.dataKey, salt, 'keypool-store v2 sharing');
  }

  /** Labels of all master keys that open this file. */
  get recipients(): readonly string[] {
    return this.#state.recipients.map((recipient) => recipient.label);
  }

  get openedBy(): string {
    return this.#state.openedBy;
  }

  /** An empty store for one master key. */
  static async create(master: MasterKey): Promise<SealedDocument> {
    const fileId = encodeBase64url(randomBytes(FILE_ID_BYTES), 'bare');
    const keys = keysOf(randomBytes(KEY_BYTES), fileId);
    const label = 'primary';
    return new SealedDocument({
      fileId,
      generation: 0,
      recipients: [await wrapKey(keys.dataKey, fileId, label, master)],
      entries: new Map(),
      secrets: new Map(),
      keys,
      openedBy: label,
    });
  }

  /**
   * @throws KeyStoreError malformed, wrong_master, tampered
   */
  static async open(path: string, json: JsonObject, master: MasterKey): Promise<SealedDocument> {
    const file = parseSealed(path, json);
    const opened = await unwrapKey(file.recipients, file.fileId, master);
    if (opened === null) throw wrongMaster(path, file, master);
    const keys = keysOf(opened.dataKey, file.fileId);
    // Entries first: they can say which name is wrong, the MAC only that something is.
    const secrets = openEntries(path, file, keys);
    if (!timingSafeEqual(macOf(keys.macKey, json), file.mac)) {
      throw tampered(
        path,
        'an entry was added, deleted, renamed or rolled back, or a header changed',
      );
    }
    const { fileId, generation, recipients, secrets: entries } = file;
    return new SealedDocument({
      fileId,
      generation,
      recipients,
      entries,
      secrets,
      keys,
      openedBy: opened.label,
    });
  }

  #next(change: Partial<State>): SealedDocument {
    return new SealedDocument({ ...this.#state, ...change });
  }

  withSecret(name: string, secret: StoredSecret): SealedDocument {
    const { keys, fileId, entries, secrets } = this.#state;
    const entry = sealEntry(keys, fileId, name, secret);
    return this.#next({
      entries: new Map(entries).set(name, entry),
      secrets: new Map(secrets).set(name, { ...secret, createdAt: entry.created }),
    });
  }

  withoutSecret(name: string): SealedDocument {
    const entries = new Map(this.#state.entries);
    const secrets = new Map(this.#state.secrets);
    entries.delete(name);
    secrets.delete(name);
    return this.#next({ entries, secrets });
  }

  /** `master` opens the file as well; an earlier recipient of that label is replaced. */
  async withRecipient(master: MasterKey, label: string): Promise<SealedDocument> {
    const { keys, fileId, recipients } = this.#state;
    const added = await wrapKey(keys.dataKey, fileId, label, master);
    return this.#next({
      recipients: [...recipients.filter((recipient) => recipient.label !== label), added],
    });
  }

  /**
   * Nobody but `master` opens the file from here on. Everything is encrypted anew under a new data
   * key: whoever kept the old master and an old copy has the old data key.
   */
  async withOnlyRecipient(master: MasterKey): Promise<SealedDocument> {
    const { fileId, secrets } = this.#state;
    const keys = keysOf(randomBytes(KEY_BYTES), fileId);
    const label = 'primary';
    const entries = new Map<string, SealedEntry>();
    for (const [name, secret] of secrets) entries.set(name, sealEntry(keys, fileId, name, secret));
    const recipients = [await wrapKey(keys.dataKey, fileId, label, master)];
    return this.#next({ keys, recipients, entries, openedBy: label });
  }

  /** One line for each recipient and secret, so that a diff shows what changed and no more. */
  serialize(): string {
    const { fileId, generation, recipients, entries, keys } = this.#state;
    const names = [...entries.keys()].sort();
    const body = {
      format: STORE_FORMAT,
      version: STORE_VERSION,
      file_id: fileId,
      generation: generation + 1,
      recipients: recipients.map((recipient) => ({ ...recipient })),
      secrets: Object.fromEntries(names.map((name) => [name, { ...entries.get(name) }])),
    };
    const mac = macOf(keys.macKey, body).toString('base64url');
    const line = (value: unknown): string => JSON.stringify(value);
    const recipientLines = body.recipients.map((recipient) => `    ${line(recipient)}`);
    const secretLines = names.map((name) => `    ${line(name)}: ${line(body.secrets[name])}`);
    const secretBlock = secretLines.length === 0 ? '{}' : `{\n${secretLines.join(',\n')}\n  }`;
    return `{
  "format": ${line(STORE_FORMAT)},
  "version": ${STORE_VERSION},
  "file_id": ${line(fileId)},
  "generation": ${body.generation},
  "recipients": [
${recipientLines.join(',\n')}
  ],
  "secrets": ${secretBlock},
  "mac": ${line(mac)}
}
`;
  }
}
