import { parseCookie } from 'cookie';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type pg from 'pg';
import { toUserId } from '../../event/user-id.js';

/**
 * Says who sends a request: a user's id, with when the login ends where that is known, null for nobody in particular, or the
 * response that refuses it.
 */
export type Authenticate = (
  request: Request,
) => Promise<string | { userId: string; expires: number } | null | Response>;

export interface LoginOptions {
  /** Refuse with 401 whoever is not logged in. @defaultValue false: they get public events only */
  required?: boolean;
  /** Told why a request was refused; never gets the token. @param fault - of the login itself, and not of the request */
  onRefused?: (reason: string, fault: boolean) => void;
  /** Told why no login can be checked now, which no client can help; never gets the token. */
  onUnavailable?: (reason: string, error: unknown) => void;
}

export interface JwtOptions extends LoginOptions {
  /** The secret that tokens are signed with (HS256, HS384, HS512). */
  secret?: string;
  /** Where the public keys are (RS, PS, ES, EdDSA); fetched when first needed, then cached. */
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
    // Never what the token asks for: a public key must not be taken for an HMAC secret.
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
      // jose has seen that it is a number, and believes a clock that is slow by as much.
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

/** Login by the session that the app keeps in the database: one query a connecting client. */
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
      // A made-up cookie that is no uuid, say, where the column is one.
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

/** A string, what gives JSON its structure, or a number or word. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * A number is believed as the digits in the token have it: JSON.parse makes 9007199254740993 and its neighbour one.
 *
 * @returns undefined where it is no user's id
 */
function claimed(token: string, claim: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return typeof value === 'string' ? sound(value) : undefined;
  const payload = Buffer.from(token.split('.')[1]!, 'base64url').toString();
  let depth = 0;
  let previous = '';
  let key = '';
  let digits: string | undefined;
  for (const [part] of payload.matchAll(TOKEN)) {
    // Of a key that is there twice JSON.parse takes the last, too.
    if (depth === 1 && previous === ':' && JSON.parse(key) === claim) digits = part;
    if (part === '{' || part === '[') depth += 1;
    if (part === '}' || part === ']') depth -= 1;
    if (part === ':') key = previous;
    previous = part;
  }
  return digits === String(value) ? sound(value) : undefined;
}

/** As PostgreSQL prints it, whatever type parsers there are. */
const AS_PRINTED = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** Types whose values are numbers, by their number in PostgreSQL: all but integers have values that no user has. */
const NUMERIC = new Set([700, 701, 1700]);
/** And those that name nobody: boolean, json, jsonb, and all that say a time. */
const NAMELESS = new Set([16, 114, 3802, 1082, 1083, 1114, 1184, 1186, 1266]);

/** @returns undefined where it is no user's id */
function selected(printed: string, type: number): string | undefined {
  if (NAMELESS.has(type) || (NUMERIC.has(type) && !/^(0|-?[1-9]\d*)$/.test(printed))) return undefined;
  // A float has lost what is beyond.
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

/** Not the client's fault: it comes again. */
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
