/** Text of a file → the document it is, told by its content and never by its name. */

import { KeyStoreError } from '../../base/errors.ts';
import { isKeyName } from '../../base/keys/key-names.ts';
import { duplicateKey, isRecord, parseJson } from '../../base/text/json.ts';
import type { JsonObject } from '../encoding.ts';
import { FernetDocument } from '../fernet/fernet-format.ts';
import type { MasterKey } from '../master-key.ts';
import { SealedDocument } from '../sealed/sealed-format.ts';
import { STORE_FORMAT } from '../sealed/sealed-syntax.ts';

export type OpenedDocument = SealedDocument | FernetDocument;

function malformed(path: string, what: string): KeyStoreError {
  return new KeyStoreError('malformed', `${path} ${what}`, {
    hint: 'restore it from a backup, or name the right file with --store; it was left as it is',
  });
}

export function parseStoreJson(path: string, text: string): JsonObject {
  const trimmed = text.trim();
  if (trimmed === '') throw malformed(path, 'is empty, so it is no key store');
  const json = parseJson(trimmed);
  if (json === null) {
    throw malformed(
      path,
      trimmed.startsWith('{') ? 'is cut off or damaged: it is not valid JSON' : 'is no key store',
    );
  }
  const { value } = json;
  if (!isRecord(value)) throw malformed(path, 'is no key store');
  const twice = duplicateKey(trimmed);
  if (twice !== null) {
    throw malformed(path, `has two entries of one name${isKeyName(twice) ? `: ${twice}` : ''}`);
  }
  return value;
}

export function isSealed(json: JsonObject): boolean {
  return json.format === STORE_FORMAT;
}

/**
 * @throws KeyStoreError malformed, wrong_master, tampered
 */
export async function openDocument(
  path: string,
  text: string,
  master: MasterKey,
): Promise<OpenedDocument> {
  const json = parseStoreJson(path, text);
  if (isSealed(json)) return SealedDocument.open(path, json, master);
  if ('format' in json || 'version' in json || 'mac' in json) {
    throw malformed(path, 'is a file of another program, no key store');
  }
  return FernetDocument.open(path, json, master);
}
