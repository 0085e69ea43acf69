import { toUserId } from '../../event/user-id.js';
import { isPromiseLike, TimeoutError, within } from '../../lib/deadline.js';
import { DjrError } from '../../lib/errors.js';
import type { SparseLog } from '../../lib/sparse-log.js';
import type { ResolvedOptions } from '../../options.js';
import type { Incoming } from '../incoming.js';
import { fromResponse, problem, type Reply } from '../reply.js';

/** The user who sends a request. */
export interface Identity {
  /** null: an anonymous client. */
  readonly userId: string | null;
  /** When the login ends, milliseconds since 1970; Infinity: never by itself. */
  readonly expires: number;
}

const anonymous: Identity = { userId: null, expires: Number.POSITIVE_INFINITY };

/** Finds out who sends a request, by `authenticate` or by the login that the app passed. @returns the user, or the reply that refuses the request */
export async function identify(
  incoming: Incoming,
  { authenticate, hookTimeout }: Pick<ResolvedOptions, 'authenticate' | 'hookTimeout'>,
  log: SparseLog,
): Promise<Identity | Reply> {
  if (!authenticate && !incoming.login) return anonymous;
  let request: Request;
  try {
    request = incoming.request();
  } catch {
    return problem(400, 'Host and path of the request make no URL.');
  }
  try {
    const answer: unknown = incoming.login ?? authenticate?.(request, incoming.context);
    const user = isPromiseLike(answer) ? await within(hookTimeout, answer) : answer;
    if (user instanceof Response) return await refusal(user, hookTimeout);
    return identityOf(user, log);
  } catch (err) {
    if (err instanceof Response) return refusal(err, hookTimeout);
    if (err instanceof TimeoutError) {
      log.say('warn', { err }, 'authenticate takes too long: a request is refused, to be tried again');
      return problem(503, 'authenticate did not answer in time; try again.', { 'Retry-After': '2' });
    }
    if (isFault(err)) {
      log.say('error', { err }, 'authenticate failed: a request is refused, to be tried again');
      return problem(503, 'The login cannot be checked at the moment; try again.', { 'Retry-After': '5' });
    }
    log.say('error', { err }, 'authenticate refused a request: it threw an error, and no Response');
    return problem(401, 'authenticate refused this request.');
  }
}

/** A value that no user can have as id is a mistake of the app. It must not count as an anonymous client, nor as an id that many users would share. */
function identityOf(answer: unknown, log: SparseLog): Identity | Reply {
  try {
    const whole = typeof answer === 'object' && answer !== null && 'userId' in answer;
    const { userId, expires } = (whole ? answer : { userId: answer }) as { userId: unknown; expires?: unknown };
    const end = endOf(expires);
    if (end <= Date.now()) return problem(401, 'The login has expired.');
    if (userId === null || userId === undefined) return { userId: null, expires: end };
    return { userId: toUserId(userId, "authenticate's user"), expires: end };
  } catch (err) {
    log.say('error', { err }, 'authenticate returned what is no user id, or no time: a request is refused');
    return problem(401, 'authenticate did not say who sends this request.');
  }
}

/** @throws DjrError if it is no time, as a login must not last for ever because of a mistake */
function endOf(expires: unknown): number {
  if (expires === undefined || expires === null) return Number.POSITIVE_INFINITY;
  const end = expires instanceof Date ? expires.getTime() : expires;
  if (typeof end === 'number' && !Number.isNaN(end)) return end;
  throw new DjrError(
    'DJR_CONFIG',
    `expires must be a Date or milliseconds since 1970 (it is ${expires instanceof Date ? 'an invalid Date' : typeof end === 'number' ? 'NaN' : `of type ${typeof end}`})`,
  );
}

/** Every Response refuses the request: one with a status of success is sent with 401. */
async function refusal(response: Response, hookTimeout: number): Promise<Reply> {
  const reply = await fromResponse(response, hookTimeout);
  return response.ok ? { ...reply, status: 401 } : reply;
}

/** Errors that a mistake in code throws, or fetch when it reaches nobody; and the names of the platform's time-outs. */
const FAULTS = [TypeError, ReferenceError, RangeError, SyntaxError, AggregateError];
const ABORTS = ['AbortError', 'TimeoutError'];

/** SQLSTATEs of classes 22 and 23 concern a value that the client made up; all others concern the app. */
const SQLSTATE = /^(?!22|23)[0-9A-Z]{5}$/;
const SYSTEM = /^(E[A-Z0-9]{2,}|ERR_JWKS_TIMEOUT)$/;

/** Whether an error says that the app has a fault, or that something which it needs is away. Such an error says nothing about the client. */
function isFault(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  const code = 'code' in err && typeof err.code === 'string' ? err.code : '';
  const known = FAULTS.some((fault) => err instanceof fault) || ABORTS.includes(err.name);
  return known || SQLSTATE.test(code) || SYSTEM.test(code);
}
