/** A certificate authority of a test's own, and a front that puts TLS before a plain server. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

export interface Certificates {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** The file for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
}

/** One self-signed certificate that is good for all of the names; made in `folder`. */
export function createCertificates(folder: string, names: readonly string[]): Certificates {
  mkdirSync(folder, { recursive: true });
  const keyFile = join(folder, 'key.pem');
  const caFile = join(folder, 'ca.pem');
  const alternatives = ['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(',');
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=test CA', '-addext', `subjectAltName=${alternatives}`];
  execFileSync('openssl', [...made, ...subject, '-keyout', keyFile, '-out', caFile], {
    stdio: 'ignore',
  });
  return { key: readFileSync(keyFile), cert: readFileSync(caFile), caFile };
}

/** TLS on this side, the plain server behind it; not listening yet. */
export function createTlsFront({ key, cert }: Certificates, plainUrl: string): Server {
  const port = Number(new URL(plainUrl).port);
  return createServer({ key, cert }, (outside) => {
    const inside = connect(port, '127.0.0.1');
    outside.pipe(inside).pipe(outside);
    outside.on('error', () => inside.destroy());
    inside.on('error', () => outside.destroy());
  });
}
