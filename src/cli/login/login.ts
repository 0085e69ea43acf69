import { type Command, Option } from 'commander';
import type pg from 'pg';
import type { Logger } from 'pino';
import { OnceLogger } from '../../lib/once-logger.js';
import { ask, asking } from '../../postgres/ask.js';
import { newPool } from '../../postgres/connect.js';
import { UsageError } from '../failure.js';
import type { Lifetime } from '../lifetime.js';
import { type Authenticate, jwtLogin, sessionLogin } from './token-login.js';

/** Milliseconds that looking a session up may take. */
const SESSION_TIMEOUT = 5000;

export interface LoginFlags {
  jwtSecret?: string;
  jwksUrl?: string;
  jwtClaim?: string;
  jwtCookie?: string;
  jwtIssuer?: string;
  jwtAudience?: string;
  sessionSql?: string;
  sessionCookie?: string;
  loginRequired?: boolean;
}

/** The options of `serve` for logins without any code. */
export function loginOptions(command: Command): Command {
  return command
    .optionsGroup('Login by a JSON Web Token (in Authorization: Bearer, a cookie or ?token=):')
    .addOption(
      new Option('--jwt-secret <secret>', 'what tokens are signed with (HS256, HS384, HS512)').env('DJR_JWT_SECRET'),
    )
    .addOption(new Option('--jwks-url <url>', 'where the public keys are (RS, PS, ES, EdDSA)').env('DJR_JWKS_URL'))
    .addOption(new Option('--jwt-claim <name>', "the claim that holds the user's id (default: sub)"))
    .addOption(new Option('--jwt-cookie <name>', 'the cookie that may hold the token (default: token)'))
    .addOption(new Option('--jwt-issuer <name>', 'refuse tokens of other issuers'))
    .addOption(new Option('--jwt-audience <name>', 'refuse tokens for other audiences'))
    .optionsGroup('Login by a session that your app keeps in the database:')
    .addOption(
      new Option('--session-sql <query>', "gets the cookie as $1, and gives the user's id").env('DJR_SESSION_SQL'),
    )
    .addOption(new Option('--session-cookie <name>', 'the cookie that holds the session').env('DJR_SESSION_COOKIE'))
    .optionsGroup('With either:')
    .addOption(new Option('--login-required', 'refuse clients without a login; otherwise they are anonymous'));
}

/** Checks the login options. @throws UsageError if they contradict each other */
export function checkLogin(flags: LoginFlags): 'jwt' | 'session' | null {
  const jwt = flags.jwtSecret !== undefined || flags.jwksUrl !== undefined;
  const session = flags.sessionSql !== undefined || flags.sessionCookie !== undefined;
  if (flags.jwtSecret !== undefined && flags.jwksUrl !== undefined) {
    throw new UsageError(
      '--jwt-secret and --jwks-url do not go together.',
      'Give the one that your tokens are signed with.',
    );
  }
  if (flags.jwtSecret === '')
    throw new UsageError('--jwt-secret is empty.', 'Give the secret that your tokens are signed with.');
  if (
    flags.jwksUrl !== undefined &&
    !/^https?:$/.test(URL.canParse(flags.jwksUrl) ? new URL(flags.jwksUrl).protocol : '')
  ) {
    throw new UsageError('--jwks-url is no http(s) address.', 'It ends in .well-known/jwks.json with most providers.');
  }
  if (jwt && session) {
    throw new UsageError(
      'Login by token and by session do not go together.',
      'Write `authenticate` in a file for --config.',
    );
  }
  if (session && (!flags.sessionSql || !flags.sessionCookie)) {
    throw new UsageError('--session-sql and --session-cookie need one another.', 'Give both.');
  }
  const of = Object.entries({
    jwtClaim: jwt,
    jwtCookie: jwt,
    jwtIssuer: jwt,
    jwtAudience: jwt,
    loginRequired: jwt || session,
  });
  for (const [name, fits] of of) {
    if (fits || flags[name as keyof LoginFlags] === undefined) continue;
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${option} says nothing without a login.`, 'Give --jwt-secret or --jwks-url with it.');
  }
  return jwt ? 'jwt' : session ? 'session' : null;
}

/** Makes the hook `authenticate` that the options ask for; undefined if they ask for none. */
export async function createLogin(
  flags: LoginFlags,
  context: { database: pg.PoolConfig; log: Logger; lifetime: Lifetime },
): Promise<Authenticate | undefined> {
  const onRefused = (reason: string, fault: boolean) =>
    context.log[fault ? 'error' : 'info']({ reason }, 'a client was refused');
  // An error, because no client can mend it: an operator must look.
  const onceLog = new OnceLogger(context.log);
  const onUnavailable = (reason: string, err: unknown) =>
    onceLog.say('error', { err }, `${reason}: clients get 503 and try again`);
  const ending =
    (login: Authenticate): Authenticate =>
    async (request) => {
      const answer = await login(request);
      if (typeof answer === 'string') onceLog.end('logins can be checked again');
      return answer;
    };
  switch (checkLogin(flags)) {
    case 'jwt':
      return ending(
        jwtLogin({
          secret: flags.jwtSecret,
          jwksUrl: flags.jwksUrl,
          claim: flags.jwtClaim,
          cookie: flags.jwtCookie,
          issuer: flags.jwtIssuer,
          audience: flags.jwtAudience,
          required: flags.loginRequired,
          onRefused,
          onUnavailable,
        }),
      );
    case 'session': {
      const pool = newPool({ ...context.database, max: 4 });
      pool.on('error', (err) => context.log.warn({ err }, 'a connection for session look-ups ended'));
      context.lifetime.onStop(() => pool.end());
      await tryOut(pool, flags.sessionSql!);
      return ending(
        sessionLogin({
          // Not `statement_timeout`, which pg sends as a startup parameter: PgBouncer refuses it.
          pool: asking(pool, SESSION_TIMEOUT),
          sql: flags.sessionSql!,
          cookie: flags.sessionCookie!,
          required: flags.loginRequired,
          onRefused,
          onUnavailable,
        }),
      );
    }
    case null:
      return undefined;
  }
}

/** Tries the query once, so that one which cannot run fails now and not for the first user. */
async function tryOut(pool: pg.Pool, sql: string): Promise<void> {
  const client = await pool.connect();
  client.release();
  try {
    await ask(pool, { text: sql, values: [null] }, SESSION_TIMEOUT);
  } catch (error) {
    throw new UsageError(
      `--session-sql does not run: ${error instanceof Error ? error.message : error}.`,
      'It looks like: select user_id from session where token = $1 and expires > now()',
    );
  }
}
