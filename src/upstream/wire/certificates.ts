/**
 * NODE_EXTRA_CA_CERTS from the settings file. node itself reads the variable at its start, from the
 * environment alone, and some clients hand no environment on.
 */

import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { DiskError } from '../../base/errors.ts';
import { type FileContents, readWholeFile } from '../../disk/read-file.ts';

/** Every list of a system is a twentieth of it. */
const MAX_BYTES = 16 * 1024 * 1024;
const OTHERS_WRITE = 0o022;

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

export interface ExtraCertificates {
  readonly certificates: readonly string[];
  /** Our words, without a final period; null when there is nothing to say. */
  readonly problem: string | null;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** Reads the file; what is wrong with it is a sentence and no error, for calls may do without it. */
export async function readExtraCertificates(path: string): Promise<ExtraCertificates> {
  const ignored = (why: string): ExtraCertificates => ({
    certificates: [],
    problem: `NODE_EXTRA_CA_CERTS is ignored: ${why}`,
  });
  let file: FileContents;
  try {
    file = await readWholeFile(path, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return ignored(error.code === 'missing' ? `there is no ${path}` : error.message);
  }
  if (process.platform !== 'win32' && (file.info.mode & OTHERS_WRITE) !== 0) {
    return ignored(`others can write ${path}, and could read what is sent`);
  }
  const found = file.bytes.toString('latin1').match(CERTIFICATE) ?? [];
  const certificates = found.filter(isCertificate);
  if (certificates.length === 0) return ignored(`${path} holds no certificate in PEM form`);
  const broken = found.length - certificates.length;
  return {
    certificates,
    problem: broken === 0 ? null : `${broken} of the certificates in ${path} cannot be read`,
  };
}

/** What node trusts by itself: its own list, or what it was told to use at its start. */
function usualCertificates(): readonly string[] {
  // Newer nodes know a list that the system's store may be part of.
  const get: unknown = Reflect.get(tls, 'getCACertificates');
  const found: unknown = typeof get === 'function' ? Reflect.apply(get, tls, ['default']) : null;
  const isList = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((each) => typeof each === 'string');
  return isList(found) ? found : tls.rootCertificates;
}

/** For TLS connections that trust these as well; made once, for it takes some milliseconds. */
export function trusting(extra: readonly string[]): tls.SecureContext {
  return tls.createSecureContext({ ca: [...usualCertificates(), ...extra] });
}
