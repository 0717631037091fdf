/** How a master key wraps the data key of a v2 file. */

import { randomBytes } from 'node:crypto';
import { canonicalJson } from '../encoding.ts';
import { derivedOnce, PBKDF2_ITERATIONS, stretch, subKey } from '../key-derivation.ts';
import type { MasterKey } from '../master-key.ts';
import { openBox, sealBox } from './sealed-box.ts';
import { type Recipient, STORE_FORMAT, STORE_VERSION } from './sealed-syntax.ts';

const SALT_BYTES = 16;

type Header = Omit<Recipient, 'wrapped'>;

/** The header is authenticated, the cost of the derivation with it. */
function recipientContext(fileId: string, header: Header): Buffer {
  const { label, kdf, iterations, salt } = header;
  return Buffer.from(
    canonicalJson({
      format: STORE_FORMAT,
      version: STORE_VERSION,
      file_id: fileId,
      label,
      kdf,
      iterations,
      salt,
    }),
  );
}

function keyEncryptionKey(header: Header, master: MasterKey): Promise<Buffer> {
  const salt = Buffer.from(header.salt, 'base64url');
  if (header.kdf === 'pbkdf2-sha256') {
    const iterations = header.iterations ?? PBKDF2_ITERATIONS;
    return derivedOnce(master, `${header.salt} ${iterations}`, () =>
      stretch(master.text, salt, iterations),
    );
  }
  return Promise.resolve(subKey(Buffer.from(master.text), salt, 'keypool-store v2 recipient'));
}

export async function wrapKey(
  dataKey: Uint8Array,
  fileId: string,
  label: string,
  master: MasterKey,
): Promise<Recipient> {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  const header: Header =
    master.kind === 'generated'
      ? { label, kdf: 'hkdf-sha256', salt }
      : { label, kdf: 'pbkdf2-sha256', iterations: PBKDF2_ITERATIONS, salt };
  const key = await keyEncryptionKey(header, master);
  return { ...header, wrapped: sealBox(key, dataKey, recipientContext(fileId, header)) };
}

/** @returns null when none of the recipients is this master key */
export async function unwrapKey(
  recipients: readonly Recipient[],
  fileId: string,
  master: MasterKey,
): Promise<{ readonly dataKey: Buffer; readonly label: string } | null> {
  const kdf = master.kind === 'generated' ? 'hkdf-sha256' : 'pbkdf2-sha256';
  for (const recipient of recipients) {
    if (recipient.kdf !== kdf) continue;
    const key = await keyEncryptionKey(recipient, master);
    const dataKey = openBox(key, recipient.wrapped, recipientContext(fileId, recipient));
    if (dataKey !== null) return { dataKey, label: recipient.label };
  }
  return null;
}
