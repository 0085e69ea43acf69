import type { Failure } from './failure.js';

const UNKNOWN_AUTHORITY: Failure = {
  message: "PostgreSQL's certificate is signed by nobody that this machine knows.",
  hint: 'Name the authority: sslrootcert=FILE in the address, or PGSSLROOTCERT; sslmode=require without it encrypts, and verifies nothing.',
};

/** What is wrong with PostgreSQL's certificate, by Node's error code. */
export const TLS_FAILURES: Record<string, () => Failure> = {
  SELF_SIGNED_CERT_IN_CHAIN: () => UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: () => UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: () => ({
    message: "PostgreSQL's certificate has expired.",
    hint: 'Renew it; until then sslmode=require encrypts, and verifies nothing.',
  }),
  ERR_TLS_CERT_ALTNAME_INVALID: () => ({
    message: "PostgreSQL's certificate is for another host than the address names.",
    hint: 'Give the name that the certificate has, or sslmode=verify-ca, which does not compare names.',
  }),
};

/** Messages of `pg` that have no code. */
export function tlsFailureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || error.message !== 'The server does not support SSL connections') return undefined;
  return {
    message: 'This PostgreSQL has no TLS.',
    hint: 'Set ssl = on in postgresql.conf, or give sslmode=disable where the network is yours.',
  };
}
