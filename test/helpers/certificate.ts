import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Certificate {
  /** Files in PEM: the certificate, its key, and both in one. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
  /** The certificate itself, which clients trust. */
  readonly ca: string;
}

/** Signed by itself, for `localhost` and 127.0.0.1, or for another name. */
export async function selfSigned(folder: string, name = 'localhost'): Promise<Certificate> {
  const certificate = path.join(folder, 'certificate.pem');
  const key = path.join(folder, 'key.pem');
  const both = path.join(folder, 'both.pem');
  const names = name === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${name}`;
  const { status, stderr } = spawnSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=${names}`,
      '-keyout',
      key,
      '-out',
      certificate,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
  const ca = await readFile(certificate, 'utf8');
  await writeFile(both, `${ca}${await readFile(key, 'utf8')}`);
  return { certificate, key, both, ca };
}
