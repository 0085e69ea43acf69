import type { ResolvedOptions } from '../options.js';
import type { SparseLog } from '../sparse-log.js';
import { toUserId } from '../user-id.js';
import { isPromiseLike, TimeoutError, within } from '../within.js';
import type { Incoming } from './incoming.js';
import { fromResponse, problem, type Reply } from './reply.js';

/** Whose request it is: a user's id, null for an anonymous one, or the reply that refuses it. */
export async function userOf(
  incoming: Incoming,
  { authenticate, hookTimeout }: Pick<ResolvedOptions, 'authenticate' | 'hookTimeout'>,
  log: SparseLog,
): Promise<string | null | Reply> {
  if (!authenticate && !incoming.login) return null;
  let request: Request;
  try {
    request = incoming.request();
  } catch {
    return problem(400, 'Host and path of the request make no URL.');
  }
  try {
    const answer: unknown = incoming.login ? incoming.login.userId : authenticate?.(request, incoming.context);
    const user = isPromiseLike(answer) ? await within(hookTimeout, answer) : answer;
    if (user instanceof Response) return await refusal(user);
    return user === null || user === undefined ? null : userIdOf(user, log);
  } catch (err) {
    if (err instanceof Response) return refusal(err);
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

/** What no user can have as id is a fault of the app, and not an anonymous client: many would share it. */
function userIdOf(value: unknown, log: SparseLog): string | Reply {
  try {
    return toUserId(value, "authenticate's user");
  } catch (err) {
    log.say('error', { err }, 'authenticate returned what is no user id: a request is refused');
    return problem(401, 'authenticate did not say who sends this request.');
  }
}

/** A Response that refuses; what would let in, refuses all the same. */
async function refusal(response: Response): Promise<Reply> {
  const reply = await fromResponse(response);
  return response.ok ? { ...reply, status: 401 } : reply;
}

/** What a mistake in code throws, fetch with nobody at the other end, and time-outs of the platform. */
const FAULTS = [TypeError, ReferenceError, RangeError, SyntaxError, AggregateError];
const ABORTS = ['AbortError', 'TimeoutError'];

/** What PostgreSQL says of a value that a client made up (22, 23) is about the client; anything else is about the app. */
const SQLSTATE = /^(?!22|23)[0-9A-Z]{5}$/;
const SYSTEM = /^(E[A-Z0-9]{2,}|ERR_JWKS_TIMEOUT)$/;

/** Whether an error says that the app has a fault, or something that it needs is away: that is no verdict on the client. */
function isFault(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  const code = 'code' in err && typeof err.code === 'string' ? err.code : '';
  const known = FAULTS.some((fault) => err instanceof fault) || ABORTS.includes(err.name);
  return known || SQLSTATE.test(code) || SYSTEM.test(code);
}
