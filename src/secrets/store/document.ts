/** What both formats are to the key store: decrypted secrets, and a next version of the file. */

export interface StoredSecret {
  readonly value: string;
  /** What a provider limits and bills; null when nobody said. */
  readonly account: string | null;
  /** ISO 8601; null where a file does not say. */
  readonly createdAt: string | null;
}

/** One opened version of a store. Immutable: a change is a new document. */
export interface StoreDocument {
  readonly format: 'sealed' | 'fernet';
  readonly secrets: ReadonlyMap<string, StoredSecret>;
  /** The same for everybody who can open this store; tells nothing of any other key of it. */
  readonly sharingSecret: Buffer;
  withSecret(name: string, secret: StoredSecret): StoreDocument;
  withoutSecret(name: string): StoreDocument;
  /** The file's whole text. Entries that did not change keep their bytes. */
  serialize(): string;
}
