/**
 * The encrypted key store: one file, opened whole, changed under a lock, replaced atomically.
 *
 * What is opened is decrypted at once: a store that would fail on its third key fails now, and
 * reading a key later costs nothing.
 */

import { stat } from 'node:fs/promises';
import { DiskError, KeyStoreError } from '../base/errors.ts';
import { keyId, maskValue } from '../base/keys/key-id.ts';
import { compareNames } from '../base/keys/key-names.ts';
import { systemCode } from '../base/system/system-error.ts';
import { type FileLock, withFileLock } from '../disk/file-lock.ts';
import { keepBeside } from '../disk/keep-beside.ts';
import { resolveLinks } from '../disk/links.ts';
import { watchPath } from '../disk/path-watch.ts';
import { replaceFile, sweepOrphans } from '../disk/replace-file.ts';
import { FernetDocument } from './fernet/fernet-format.ts';
import { checkStrength, type MasterKey, readMasterKey } from './master-key.ts';
import { SealedDocument } from './sealed/sealed-format.ts';
import type { StoredSecret } from './store/document.ts';
import { type OpenedDocument, openDocument } from './store/open-document.ts';
import {
  checkSecrets,
  type NewSecret,
  type PutOutcome,
  sealedFrom,
  withRenamed,
  withSecrets,
} from './store/put-secrets.ts';
import { asKeyStoreError } from './store/store-text.ts';
import {
  firstVersion,
  refreshed,
  type StoreLocation,
  type StoreVersion,
} from './store/store-version.ts';

export interface StoreEntry {
  readonly name: string;
  readonly account: string | null;
  /** ISO 8601; null where the file does not say. */
  readonly createdAt: string | null;
  /** As `base/key-id.ts` makes it. */
  readonly keyId: string;
  /** `sk-…337242`, or `…`. */
  readonly masked: string;
}

function asError(error: unknown): KeyStoreError {
  if (error instanceof KeyStoreError) return error;
  return new KeyStoreError('unreadable', 'the key store cannot be read', {
    cause: error,
    hint: 'run keypool-mcp doctor',
  });
}

/**
 * Runs a change under the store's lock, and once more when a machine's sleep cost it the lock:
 * it begins with reading the file, and nothing of the first run was written.
 *
 * @throws KeyStoreError locked, write_failed
 */
async function locked(
  link: string,
  change: (path: string, lock: FileLock) => Promise<void>,
): Promise<void> {
  try {
    const path = await resolveLinks(link);
    const run = (): Promise<void> => withFileLock(path, (lock) => change(path, lock));
    await run().catch((error: unknown) => {
      if (error instanceof DiskError && error.code === 'lock_lost') return run();
      throw error;
    });
  } catch (error) {
    throw asKeyStoreError(error);
  }
}

export class KeyStore {
  readonly path: string;
  readonly #location: StoreLocation;
  #version: StoreVersion;

  private constructor(location: StoreLocation, version: StoreVersion) {
    this.path = location.path;
    this.#location = location;
    this.#version = version;
  }

  /**
   * Opens and decrypts the store; the file is not touched.
   *
   * @throws KeyStoreError missing, unreadable, malformed, tampered, downgraded, no_master,
   *   bad_master, wrong_master
   */
  static async open(location: StoreLocation): Promise<KeyStore> {
    return new KeyStore(location, await firstVersion(location));
  }

  /**
   * Makes an empty v2 store; what exists is never replaced, it is opened.
   *
   * @throws KeyStoreError as `open`, and bad_master for a short passphrase, write_failed
   */
  static async create(location: StoreLocation): Promise<KeyStore> {
    await locked(location.path, async (path, lock) => {
      const exists = await stat(path).then(
        () => true,
        (error: unknown) => systemCode(error) !== 'ENOENT',
      );
      if (exists) return;
      const master = await readMasterKey(location.masterKey);
      checkStrength(master);
      await sweepOrphans(path);
      await replaceFile(path, (await SealedDocument.create(master)).serialize(), { lock });
    });
    return KeyStore.open(location);
  }

  get format(): 'sealed' | 'fernet' {
    return this.#version.document.format;
  }

  get masterKind(): MasterKey['kind'] {
    return this.#version.master.kind;
  }

  /** Labels of the master keys that open the file; one in a legacy file. */
  get recipients(): readonly string[] {
    const { document } = this.#version;
    return document.format === 'sealed' ? document.recipients : ['primary'];
  }

  /** Which of them the master key in use is. */
  get openedBy(): string {
    const { document } = this.#version;
    return document.format === 'sealed' ? document.openedBy : 'primary';
  }

  /** What processes prove to each other that have this store open. */
  get sharingSecret(): Buffer {
    return this.#version.document.sharingSecret;
  }

  list(): readonly StoreEntry[] {
    const entries = [...this.#version.document.secrets].map(([name, secret]) => ({
      name,
      account: secret.account,
      createdAt: secret.createdAt,
      keyId: keyId(secret.value),
      masked: maskValue(secret.value),
    }));
    return entries.sort((a, b) => compareNames(a.name, b.name));
  }

  has(name: string): boolean {
    return this.#version.document.secrets.has(name);
  }

  #secret(name: string): StoredSecret {
    const secret = this.#version.document.secrets.get(name);
    if (secret !== undefined) return secret;
    throw new KeyStoreError('unknown_name', `there is no key of that name in ${this.path}`, {
      hint: 'keypool-mcp keys list shows the names',
    });
  }

  /** @throws KeyStoreError unknown_name */
  get(name: string): string {
    return this.#secret(name).value;
  }

  /** Every value, and the master key in use: what must never be shown. */
  sensitiveValues(): readonly string[] {
    const { document, master } = this.#version;
    return [...[...document.secrets.values()].map(({ value }) => value), master.text];
  }

  /** Adds or replaces one secret. See `putAll`. */
  async put(name: string, value: string, account?: string | null): Promise<PutOutcome> {
    const outcomes = await this.putAll([{ name, value, account }]);
    return outcomes.get(name) ?? 'unchanged';
  }

  /**
   * Adds or replaces secrets, in one write: all of them or none.
   *
   * @throws KeyStoreError invalid_name, invalid_value, locked, write_failed
   */
  async putAll(secrets: readonly NewSecret[]): Promise<ReadonlyMap<string, PutOutcome>> {
    checkSecrets(secrets);
    return this.putChosen(() => secrets);
  }

  /**
   * As `putAll`, with secrets that are named by what the store holds when it is written: what
   * another process has put there meanwhile keeps its name.
   *
   * @param choose from name → value; not asked again once it was written
   */
  async putChosen(
    choose: (held: ReadonlyMap<string, string>) => readonly NewSecret[],
  ): Promise<ReadonlyMap<string, PutOutcome>> {
    let outcomes: ReadonlyMap<string, PutOutcome> = new Map();
    await this.#change((document) => {
      const held = [...document.secrets].map(([name, { value }]): [string, string] => [
        name,
        value,
      ]);
      const secrets = choose(new Map(held));
      checkSecrets(secrets);
      const result = withSecrets(document, secrets, new Date());
      outcomes = result.outcomes;
      return result.document;
    });
    return outcomes;
  }

  /**
   * Gives a secret another name; what else is known about it stays. A name in use is never taken.
   *
   * @throws KeyStoreError unknown_name, invalid_name, invalid_value, locked, write_failed
   */
  async rename(name: string, next: string): Promise<void> {
    checkSecrets([{ name: next, value: this.#secret(name).value }]);
    await this.#change((document) => withRenamed(document, name, next));
  }

  /** @throws KeyStoreError unknown_name, locked, write_failed */
  async remove(name: string): Promise<void> {
    this.#secret(name);
    await this.#change((document) => document.withoutSecret(name));
  }

  /**
   * Rewrites a legacy file as v2 at the same path. The old file stays beside it, linked there
   * before the new one takes its name, so that at every moment one of them stands at the path.
   *
   * @returns where the old file is; null when the store was v2 already
   */
  async migrate(now: Date = new Date()): Promise<string | null> {
    let legacyPath: string | null = null;
    await this.#change(async (document, path) => {
      if (document.format === 'sealed') return document;
      const next = await sealedFrom(document, this.#version.master);
      const base = `${path}.legacy-${now.toISOString().slice(0, 10)}`;
      legacyPath = await keepBeside(path, base);
      return next;
    });
    if (legacyPath !== null) await this.#location.memory?.remember(this.path);
    return legacyPath;
  }

  /** The flat Fernet file with the same secrets, under the same master key. */
  async exportFernet(): Promise<string> {
    let flat = await FernetDocument.create(this.#version.master);
    for (const [name, secret] of this.#version.document.secrets)
      flat = flat.withSecret(name, secret);
    return flat.serialize();
  }

  /** First step of a rotation: `master` opens the store too. v2 only. */
  async addRecipient(master: MasterKey, label: string): Promise<void> {
    await this.#change((document) =>
      document.format === 'sealed' ? document.withRecipient(master, label) : document,
    );
  }

  /** Last step of a rotation: from here on only the master key in use opens the store. */
  async dropOtherRecipients(): Promise<void> {
    await this.#change((document) =>
      document.format === 'sealed' ? document.withOnlyRecipient(this.#version.master) : document,
    );
  }

  /**
   * Lock → read again → change → check that the result opens → replace. A change that returns the
   * document it was given writes nothing.
   */
  async #change(
    next: (document: OpenedDocument, path: string) => OpenedDocument | Promise<OpenedDocument>,
  ): Promise<void> {
    await locked(this.path, async (path, lock) => {
      this.#version = await refreshed(this.#version, this.#location);
      const { document, master } = this.#version;
      const changed = await next(document, path);
      if (changed === document) return;
      const text = changed.serialize();
      const reopened = await openDocument(this.path, text, master);
      await sweepOrphans(path);
      await replaceFile(path, text, {
        mode: changed.format === 'fernet' ? 'keep' : 'private',
        lock,
      });
      this.#version = { text, master, document: reopened };
    });
  }

  /**
   * Follows the file. A version that cannot be opened leaves the secrets as they are.
   *
   * @param onChange the contents of this store are new, whoever wrote them
   * @param onError why the file's new version is not taken; once for each bad version
   * @returns stops watching
   */
  watch(onChange: () => void, onError: (error: KeyStoreError) => void): () => void {
    let announced = this.#version.text;
    let lastProblem = '';
    let looking: Promise<void> = Promise.resolve();
    const fail = (error: unknown): void => {
      const problem = asError(error);
      if (problem.message !== lastProblem) onError(problem);
      lastProblem = problem.message;
    };
    const look = async (): Promise<void> => {
      try {
        this.#version = await refreshed(this.#version, this.#location);
        lastProblem = '';
      } catch (error) {
        fail(error);
      }
      if (this.#version.text === announced) return;
      announced = this.#version.text;
      onChange();
    };
    // Whatever goes wrong in one look, the next change is looked at again.
    const wake = (): void => {
      looking = looking.then(look).catch(fail);
    };
    const stop = watchPath(this.path, wake);
    // What happened between opening and watching.
    wake();
    return stop;
  }
}
