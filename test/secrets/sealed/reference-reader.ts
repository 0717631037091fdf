/**
 * A second reader of v2 stores, written from docs/store-format.md with node:crypto alone. It shares
 * no line with src/secrets, so that a slip there (a label, a field left out of what is
 * authenticated) cannot be made here by the same edit.
 */

import { createDecipheriv, createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto';

interface ReferenceRecipient {
  readonly label: string;
  readonly kdf: string;
  readonly iterations?: number;
  readonly salt: string;
  readonly wrapped: string;
}

export interface ReferenceFile {
  readonly format: string;
  readonly version: number;
  readonly file_id: string;
  readonly generation: number;
  readonly recipients: readonly ReferenceRecipient[];
  readonly secrets: Readonly<
    Record<string, { created: string; account: string | null; ciphertext: string }>
  >;
  readonly mac: string;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

/** Members sorted, nothing between them; enough for the flat and nested objects of a store. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${canonical(of)}`).join(',')}}`;
}

export function subKey(secret: Uint8Array, salt: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, label, 32));
}

function open(key: Buffer, box: string, context: string): Buffer | null {
  const sealed = bytes(box);
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  cipher.setAAD(Buffer.from(context));
  cipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]);
  } catch {
    return null;
  }
}

export function keyEncryptionKey(recipient: ReferenceRecipient, master: string): Buffer {
  const salt = bytes(recipient.salt);
  return recipient.kdf === 'hkdf-sha256'
    ? subKey(Buffer.from(master), salt, 'keypool-store v2 recipient')
    : pbkdf2Sync(master, salt, recipient.iterations ?? 0, 32, 'sha256');
}

/** The data key, or null when no recipient is this master key. */
export function dataKeyOf(file: ReferenceFile, master: string): Buffer | null {
  const { format, version, file_id } = file;
  for (const recipient of file.recipients) {
    const { wrapped, ...header } = recipient;
    const context = canonical({ format, version, file_id, ...header });
    const key = open(keyEncryptionKey(recipient, master), wrapped, context);
    if (key !== null) return key;
  }
  return null;
}

/** The value of one entry under a data key, or null when that does not open it. */
export function entryValue(file: ReferenceFile, name: string, dataKey: Buffer): string | null {
  const { format, version, file_id } = file;
  const entry = file.secrets[name];
  if (entry === undefined) return null;
  const { ciphertext, ...metadata } = entry;
  const key = subKey(dataKey, bytes(file_id), 'keypool-store v2 entries');
  const context = canonical({ format, version, file_id, name, ...metadata });
  return open(key, ciphertext, context)?.toString('utf8') ?? null;
}

export function macOf(file: ReferenceFile, dataKey: Buffer): string {
  const { mac: _, ...rest } = file;
  const key = subKey(dataKey, bytes(file.file_id), 'keypool-store v2 mac');
  return createHmac('sha256', key).update(canonical(rest)).digest('base64url');
}

/** Everything in the store; throws when any part of it is not as the specification says. */
export function readReference(file: ReferenceFile, master: string): Record<string, string> {
  const dataKey = dataKeyOf(file, master);
  if (dataKey === null) throw new Error('the master key does not open the file');
  if (macOf(file, dataKey) !== file.mac) throw new Error('the MAC is another one');
  return Object.fromEntries(
    Object.keys(file.secrets).map((name) => {
      const value = entryValue(file, name, dataKey);
      if (value === null) throw new Error(`${name} does not open`);
      return [name, value];
    }),
  );
}
