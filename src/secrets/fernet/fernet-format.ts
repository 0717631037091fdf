/**
 * The flat legacy file: `{"DEEPSEEK_API_KEY": "<Fernet token>", …}`, as Python's `cryptography`
 * writes it. It has no place for accounts, and nothing ties a token to its name.
 */

import { KeyStoreError } from '../../base/errors.ts';
import type { JsonObject } from '../encoding.ts';
import { derivedOnce, deriveFernetKey, fernetSalts, subKey } from '../key-derivation.ts';
import type { MasterKey } from '../master-key.ts';
import type { StoreDocument, StoredSecret } from '../store/document.ts';
import { decryptFernet, encryptFernet, FERNET_VERSION } from './fernet.ts';

/** Other programs were freer with names than we are; a file of theirs still opens. */
const LEGACY_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
/** First byte of `nonce 12 | AES-256-GCM ciphertext | tag 16`, the form of a sibling program. */
export const GCM_VERSION = 0x02;
export const PLAINTEXT_PREFIX = 'ENCRYPTED:';

function malformed(path: string, what: string, hint: string): KeyStoreError {
  return new KeyStoreError('malformed', `the key store ${path} ${what}`, { hint });
}

/** Sorts out what only looks like a Fernet token before any key is derived. */
function checkToken(path: string, name: string, token: unknown): string {
  if (!LEGACY_NAME.test(name) || name === '__proto__') {
    throw malformed(path, 'has an entry whose name no key can have', 'restore it from a backup');
  }
  if (typeof token !== 'string') {
    throw malformed(path, `has no token under ${name}`, 'is it the right file? see --store');
  }
  if (token.startsWith(PLAINTEXT_PREFIX)) {
    throw malformed(
      path,
      `holds ${name} in clear behind the word ENCRYPTED`,
      'replace that key at its provider, then add the new one to another store with keypool-mcp keys add',
    );
  }
  const version = Buffer.from(token.slice(0, 4), 'base64url')[0];
  if (version === FERNET_VERSION) return token;
  if (version === GCM_VERSION && token.length > 36) {
    throw malformed(
      path,
      'was written in the AES-GCM form of another program',
      'keypool-mcp keys import reads it when ENCRYPTION_KEY is set to its 32-byte key',
    );
  }
  throw malformed(path, `has no Fernet token under ${name}`, 'is it the right file? see --store');
}

interface Opened {
  /** The key that opened most entries; new ones are written with it. */
  readonly key: Buffer;
  readonly secrets: ReadonlyMap<string, StoredSecret>;
}

function createdAt(timestamp: bigint): string | null {
  const date = new Date(Number(timestamp) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function fernetKey(master: MasterKey, salt: Buffer): Promise<Buffer> {
  return derivedOnce(master, salt.toString('hex'), () => deriveFernetKey(master.text, salt));
}

function openWith(key: Buffer, tokens: ReadonlyMap<string, string>): Map<string, StoredSecret> {
  const secrets = new Map<string, StoredSecret>();
  for (const [name, token] of tokens) {
    const message = decryptFernet(key, token);
    if (message === null) continue;
    const value = message.plaintext.toString('utf8');
    secrets.set(name, { value, account: null, createdAt: createdAt(message.timestamp) });
  }
  return secrets;
}

async function openTokens(
  path: string,
  tokens: ReadonlyMap<string, string>,
  master: MasterKey,
): Promise<Opened> {
  let best: Opened | null = null;
  const all = new Map<string, StoredSecret>();
  for (const salt of fernetSalts(master.text)) {
    const key = await fernetKey(master, salt);
    const secrets = openWith(key, tokens);
    for (const [name, secret] of secrets) all.set(name, secret);
    if (best === null || secrets.size > best.secrets.size) best = { key, secrets };
    if (all.size === tokens.size) return { key: best.key, secrets: inOrder(tokens, all) };
  }
  if (all.size === 0) {
    throw new KeyStoreError('wrong_master', `the master key does not open the key store ${path}`, {
      hint: 'set MASTER_ENCRYPTION_KEY to the key that this file was written with',
    });
  }
  const broken = [...tokens.keys()].filter((name) => !all.has(name));
  throw new KeyStoreError(
    'tampered',
    `the key store ${path} was damaged or tampered with: ${broken.join(', ')} cannot be decrypted`,
    { hint: 'restore the file from a backup; it was left as it is' },
  );
}

function inOrder(
  tokens: ReadonlyMap<string, string>,
  secrets: ReadonlyMap<string, StoredSecret>,
): ReadonlyMap<string, StoredSecret> {
  const ordered = new Map<string, StoredSecret>();
  for (const name of tokens.keys()) {
    const secret = secrets.get(name);
    if (secret !== undefined) ordered.set(name, secret);
  }
  return ordered;
}

export class FernetDocument implements StoreDocument {
  readonly format = 'fernet';
  readonly secrets: ReadonlyMap<string, StoredSecret>;
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #key: Buffer;

  private constructor(
    tokens: ReadonlyMap<string, string>,
    secrets: ReadonlyMap<string, StoredSecret>,
    key: Buffer,
  ) {
    this.#tokens = tokens;
    this.secrets = secrets;
    this.#key = key;
  }

  get sharingSecret(): Buffer {
    return subKey(this.#key, Buffer.alloc(0), 'keypool-store fernet sharing');
  }

  /**
   * @throws KeyStoreError malformed; wrong_master when no token opens, tampered when some do
   */
  static async open(path: string, file: JsonObject, master: MasterKey): Promise<FernetDocument> {
    const tokens = new Map<string, string>();
    for (const [name, token] of Object.entries(file))
      tokens.set(name, checkToken(path, name, token));
    const { key, secrets } = await openTokens(path, tokens, master);
    return new FernetDocument(tokens, secrets, key);
  }

  /** An empty file, whose salt is the text reading: the one every reader tries first. */
  static async create(master: MasterKey): Promise<FernetDocument> {
    const [salt = Buffer.alloc(0)] = fernetSalts(master.text);
    return new FernetDocument(new Map(), new Map(), await fernetKey(master, salt));
  }

  withSecret(name: string, secret: StoredSecret): FernetDocument {
    const madeAt = secret.createdAt === null ? Date.now() : Date.parse(secret.createdAt);
    const token = encryptFernet(this.#key, Buffer.from(secret.value, 'utf8'), {
      now: Math.max(0, Math.floor(madeAt / 1000)),
    });
    return new FernetDocument(
      new Map(this.#tokens).set(name, token),
      new Map(this.secrets).set(name, { ...secret, account: null }),
      this.#key,
    );
  }

  withoutSecret(name: string): FernetDocument {
    const tokens = new Map(this.#tokens);
    const secrets = new Map(this.secrets);
    tokens.delete(name);
    secrets.delete(name);
    return new FernetDocument(tokens, secrets, this.#key);
  }

  serialize(): string {
    return `${JSON.stringify(Object.fromEntries(this.#tokens), null, 2)}\n`;
  }
}
