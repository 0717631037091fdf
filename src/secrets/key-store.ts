/**
 * The encrypted key store: one file, opened whole, changed under a lock, replaced atomically.
 *
 * What is opened is decrypted at once: a store that would fail on its third key fails now, and
 * reading a key later costs nothing.
 */

import { constants } from 'node:fs';
import { copyFile, link, stat } from 'node:fs/promises';
import { KeyStoreError } from '../base/errors.ts';
import { keyId, maskValue } from '../base/key-id.ts';
import { compareNames, isKeyName } from '../base/key-names.ts';
import { withFileLock } from '../disk/file-lock.ts';
import { watchPath } from '../disk/path-watch.ts';
import {
  readStoreText,
  replaceFile,
  resolveLinks,
  sweepOrphans,
  systemCode,
  writeFailure,
} from '../disk/replace-file.ts';
import type { StoredSecret } from './document.ts';
import { FernetDocument } from './fernet/fernet-format.ts';
import {
  checkStrength,
  type MasterKey,
  type MasterKeySource,
  readMasterKey,
} from './master-key.ts';
import { checkAccount, checkName, checkValue } from './names.ts';
import { type OpenedDocument, openDocument } from './open-document.ts';
import { SealedDocument } from './sealed/sealed-format.ts';

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

export interface NewSecret {
  readonly name: string;
  readonly value: string;
  /** undefined keeps what stands there. */
  readonly account?: string | null | undefined;
}

export type PutOutcome = 'added' | 'replaced' | 'unchanged';

export interface StoreLocation {
  readonly path: string;
  /** A function is asked again when the file changes: a rotation changes both. */
  readonly masterKey: MasterKeySource | (() => MasterKeySource);
}

interface Version {
  readonly text: string;
  readonly document: OpenedDocument;
  readonly master: MasterKey;
}

function sourceOf(location: StoreLocation): MasterKeySource {
  return typeof location.masterKey === 'function' ? location.masterKey() : location.masterKey;
}

/** A missing store is named before a missing master: both come from a missing `init`. */
async function readVersion(location: StoreLocation): Promise<Version> {
  const text = await readStoreText(location.path);
  const master = await readMasterKey(sourceOf(location));
  return { text, master, document: await openDocument(location.path, text, master) };
}

function asError(error: unknown): KeyStoreError {
  if (error instanceof KeyStoreError) return error;
  return new KeyStoreError('unreadable', 'the key store cannot be read', {
    cause: error,
    hint: 'run keypool-mcp doctor',
  });
}

export class KeyStore {
  readonly path: string;
  readonly #location: StoreLocation;
  #version: Version;

  private constructor(location: StoreLocation, version: Version) {
    this.path = location.path;
    this.#location = location;
    this.#version = version;
  }

  /**
   * Opens and decrypts the store; the file is not touched.
   *
   * @throws KeyStoreError missing, unreadable, malformed, tampered, no_master, bad_master,
   *   wrong_master
   */
  static async open(location: StoreLocation): Promise<KeyStore> {
    return new KeyStore(location, await readVersion(location));
  }

  /**
   * Makes an empty v2 store; what exists is never replaced, it is opened.
   *
   * @throws KeyStoreError as `open`, and bad_master for a short passphrase, write_failed
   */
  static async create(location: StoreLocation): Promise<KeyStore> {
    const path = await resolveLinks(location.path);
    await withFileLock(path, async () => {
      const exists = await stat(path).then(
        () => true,
        (error: unknown) => systemCode(error) !== 'ENOENT',
      );
      if (exists) return;
      const master = await readMasterKey(sourceOf(location));
      checkStrength(master);
      await sweepOrphans(path);
      await replaceFile(path, (await SealedDocument.create(master)).serialize());
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
    for (const { name, value, account } of secrets) {
      checkName(name);
      checkValue(name, value);
      if (typeof account === 'string') checkAccount(account);
    }
    const outcomes = new Map<string, PutOutcome>();
    await this.#change((document) => {
      let next = document;
      for (const secret of secrets) {
        const old = next.secrets.get(secret.name);
        const outcome = this.#outcome(next, secret);
        outcomes.set(secret.name, outcome);
        if (outcome === 'unchanged') continue;
        const { name, value } = secret;
        const account = secret.account === undefined ? (old?.account ?? null) : secret.account;
        const isSameValue = old?.value === value;
        const createdAt = isSameValue ? old.createdAt : new Date().toISOString();
        next = next.withSecret(name, { value, account, createdAt });
      }
      return next;
    });
    return outcomes;
  }

  #outcome(document: OpenedDocument, secret: NewSecret): PutOutcome {
    if (document.format === 'fernet' && typeof secret.account === 'string') {
      throw new KeyStoreError('invalid_value', `a legacy store has no place for an account label`, {
        hint: 'run keypool-mcp keys migrate first, or leave --account out',
      });
    }
    const old = document.secrets.get(secret.name);
    if (old === undefined) return 'added';
    const isSameAccount = secret.account === undefined || secret.account === old.account;
    return old.value === secret.value && isSameAccount ? 'unchanged' : 'replaced';
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
      let next = await SealedDocument.create(this.#version.master);
      for (const [name, secret] of document.secrets) {
        // A name that the pool would not use is kept all the same: `keys rename` mends it.
        if (!isKeyName(name)) checkName(name);
        next = next.withSecret(name, secret);
      }
      legacyPath = await keepBeside(path, now);
      return next;
    });
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
    const path = await resolveLinks(this.path);
    await withFileLock(path, async () => {
      await this.#refresh();
      const { document, master } = this.#version;
      const changed = await next(document, path);
      if (changed === document) return;
      const text = changed.serialize();
      const reopened = await openDocument(this.path, text, master);
      await sweepOrphans(path);
      await replaceFile(path, text, changed.format === 'fernet' ? 'keep' : 'private');
      this.#version = { text, master, document: reopened };
    });
  }

  /** True when the file had changed. The master key in memory is tried before the sources. */
  async #refresh(): Promise<boolean> {
    const text = await readStoreText(this.path);
    if (text === this.#version.text) return false;
    const { master } = this.#version;
    try {
      this.#version = { text, master, document: await openDocument(this.path, text, master) };
    } catch (error) {
      if (!(error instanceof KeyStoreError) || error.code !== 'wrong_master') throw error;
      this.#version = await readVersion(this.#location);
    }
    return true;
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
    const look = async (): Promise<void> => {
      try {
        await this.#refresh();
        lastProblem = '';
      } catch (error) {
        const problem = asError(error);
        if (problem.message !== lastProblem) onError(problem);
        lastProblem = problem.message;
      }
      if (this.#version.text === announced) return;
      announced = this.#version.text;
      onChange();
    };
    const stop = watchPath(this.path, () => {
      looking = looking.then(look);
    });
    // What happened between opening and watching.
    looking = looking.then(look);
    return stop;
  }
}

/** Not every file system has hard links (exFAT, some network shares). */
async function linkOrCopy(path: string, beside: string): Promise<void> {
  try {
    await link(path, beside);
  } catch (cause) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EXDEV'].includes(systemCode(cause))) throw cause;
    await copyFile(path, beside, constants.COPYFILE_EXCL);
  }
}

/** Links the file under a name that says what it is and when; an equal link is used again. */
async function keepBeside(path: string, now: Date): Promise<string> {
  const { ino, dev } = await stat(path);
  const base = `${path}.legacy-${now.toISOString().slice(0, 10)}`;
  for (let copy = 1; ; copy++) {
    const beside = copy === 1 ? base : `${base}-${copy}`;
    try {
      await linkOrCopy(path, beside);
      return beside;
    } catch (cause) {
      if (systemCode(cause) !== 'EEXIST') throw writeFailure(beside, cause);
    }
    const old = await stat(beside).catch(() => null);
    if (old !== null && old.ino === ino && old.dev === dev) return beside;
  }
}
