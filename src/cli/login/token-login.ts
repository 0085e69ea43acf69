import { parseCookie } from 'cookie';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type pg from 'pg';
import { toUserId } from '../../event/user-id.js';

/**
 * Says who sends a request: a user's id, with the time at which the login ends if that is known; null for an anonymous client; or the
 * response that refuses it.
 */
export type Authenticate = (
  request: Request,
) => Promise<string | { userId: string; expires: number } | null | Response>;

export interface LoginOptions {
  /** Whether anonymous clients are refused with 401. @defaultValue false */
  required?: boolean;
  /** Called when a request is refused, without the token. @param fault - whether the login itself is at fault, and not the request */
  onRefused?: (reason: string, fault: boolean) => void;
  /** Called when logins cannot be checked now, which no client can mend; without the token. */
  onUnavailable?: (reason: string, error: unknown) => void;
}

export interface JwtOptions extends LoginOptions {
  /** The secret that tokens are signed with (HS256, HS384, HS512). */
  secret?: string;
  /** The address of the public keys (RS, PS, ES, EdDSA). They are fetched when they are first needed, and then cached. */
  jwksUrl?: string;
  /** The claim that holds the user's id. @defaultValue 'sub' */
  claim?: string;
  /** The cookie that may hold the token. @defaultValue 'token' */
  cookie?: string;
  issuer?: string;
  audience?: string;
}

/** Seconds by which clocks may differ. */
const CLOCK_TOLERANCE = 5;

const SYMMETRIC = ['HS256', 'HS384', 'HS512'];
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Login by a JSON Web Token: in `Authorization: Bearer`, in `?token=` (an EventSource sends no headers) or in a cookie. */
export function jwtLogin(options: JwtOptions): Authenticate {
  const claim = options.claim ?? 'sub';
  const key = jwtKey(options);
  const rules: JWTVerifyOptions = {
    // The algorithm is never chosen by the token: a public key must not be used as an HMAC secret.
    algorithms: options.secret === undefined ? ASYMMETRIC : SYMMETRIC,
    issuer: options.issuer,
    audience: options.audience,
    clockTolerance: CLOCK_TOLERANCE,
  };

  return async (request) => {
    const token =
      bearer(request) ?? new URL(request.url).searchParams.get('token') ?? cookies(request)[options.cookie ?? 'token'];
    if (!token) return anonymous(options);
    try {
      const { payload } = await jwtVerify(token, key, rules);
      if (payload[claim] === undefined || payload[claim] === null) {
        return refuse(options, `The token has no claim "${claim}".`);
      }
      const user = claimed(token, claim, payload[claim]);
      // jose has checked that it is a number, and allows for a clock that is slow by so many seconds.
      const expires = payload.exp === undefined ? undefined : (payload.exp + CLOCK_TOLERANCE) * 1000;
      if (user !== undefined) return expires === undefined ? user : { userId: user, expires };
      return refuse(options, `The claim "${claim}" of the token is no user's id.`);
    } catch (error) {
      if (isAboutTheToken(error)) return refuse(options, `The token is refused: ${error.message}.`);
      return unavailable(options, `the keys of ${options.jwksUrl} cannot be fetched`, error);
    }
  };
}

function jwtKey({ secret, jwksUrl }: JwtOptions): JWTVerifyGetKey {
  if (secret !== undefined) {
    const bytes = new TextEncoder().encode(secret);
    return async () => bytes;
  }
  return createRemoteJWKSet(new URL(jwksUrl!));
}

const isAboutTheToken = (error: unknown): error is Error =>
  [
    errors.JWTExpired,
    errors.JWTClaimValidationFailed,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
  ].some((type) => error instanceof type);

export interface SessionOptions extends LoginOptions {
  pool: Pick<pg.ClientBase, 'query'>;
  /** Gets the cookie's value as `$1`; the first column of its first row is the user's id. No row or null: nobody. */
  sql: string;
  cookie: string;
}

/** Login by the app's session in the database, with one query for each client that connects. */
export function sessionLogin(options: SessionOptions): Authenticate {
  return async (request) => {
    const session = cookies(request)[options.cookie];
    if (!session) return anonymous(options);
    try {
      const { rows, fields } = await options.pool.query<(string | null)[]>({
        text: options.sql,
        values: [session],
        rowMode: 'array',
        types: AS_PRINTED,
      });
      const printed = rows[0]?.[0];
      if (printed === null || printed === undefined) return anonymous(options);
      const user = selected(printed, fields[0]!.dataTypeID);
      return user ?? refuse(options, 'The session query gave what is no user id.', true);
    } catch (error) {
      // The cookie was made up, for example a text that is no uuid for a column of that type.
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code.startsWith('22')) return anonymous(options);
      return unavailable(options, `the session cannot be looked up${code ? ` (${code})` : ''}`, error);
    }
  };
}

const sound = (value: unknown): string | undefined => {
  try {
    return toUserId(value);
  } catch {
    return undefined;
  }
};

/** A token of JSON: a string, a structural character, or a number or word. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * Reads the user's id. A number is taken from the digits in the token: JSON.parse would make one number of 9007199254740993 and its
 * neighbour.
 *
 * @returns undefined if it is no user's id
 */
function claimed(token: string, claim: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return typeof value === 'string' ? sound(value) : undefined;
  const payload = Buffer.from(token.split('.')[1]!, 'base64url').toString();
  let depth = 0;
  let previous = '';
  let key = '';
  let digits: string | undefined;
  for (const [part] of payload.matchAll(TOKEN)) {
    // Like JSON.parse, the last one counts if a key stands twice.
    if (depth === 1 && previous === ':' && JSON.parse(key) === claim) digits = part;
    if (part === '{' || part === '[') depth += 1;
    if (part === '}' || part === ']') depth -= 1;
    if (part === ':') key = previous;
    previous = part;
  }
  return digits === String(value) ? sound(value) : undefined;
}

/** Reads a value as the text that PostgreSQL sends, whatever type parsers there are. */
const AS_PRINTED = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** Types of numbers by their oid. Types other than integers have values that are no user's id. */
const NUMERIC = new Set([700, 701, 1700]);
/** Types whose values name no user: boolean, json, jsonb, and all types of times. */
const NAMELESS = new Set([16, 114, 3802, 1082, 1083, 1114, 1184, 1186, 1266]);

/** @returns undefined if it is no user's id */
function selected(printed: string, type: number): string | undefined {
  if (NAMELESS.has(type) || (NUMERIC.has(type) && !/^(0|-?[1-9]\d*)$/.test(printed))) return undefined;
  // A float beyond 2^53 has lost digits.
  if (type === 700 || type === 701) return sound(Number(printed));
  return sound(printed);
}

function bearer(request: Request): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

function cookies(request: Request): Record<string, string | undefined> {
  return parseCookie(request.headers.get('cookie') ?? '');
}

function anonymous(options: LoginOptions): null | Response {
  return options.required ? refuse(options, 'A login is required.') : null;
}

function refuse(options: LoginOptions, reason: string, fault = false): Response {
  options.onRefused?.(reason, fault);
  return problem(401, 'Unauthorized', reason, { 'WWW-Authenticate': 'Bearer' });
}

/** The answer when logins cannot be checked, which is not the client's fault: it may try again. */
function unavailable(options: LoginOptions, reason: string, error: unknown): Response {
  options.onUnavailable?.(reason, error);
  return problem(503, 'Service Unavailable', 'The login cannot be checked at the moment.', { 'Retry-After': '5' });
}

function problem(status: number, title: string, detail: string, headers: Record<string, string>): Response {
  return Response.json(
    { type: 'about:blank', title, status, detail },
    { status, headers: { ...headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } },
  );
}
