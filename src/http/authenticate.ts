import type { Logger } from '../logger.js';
import type { ResolvedOptions } from '../options.js';
import { toUserId } from '../user-id.js';
import { isPromiseLike, TimeoutError, within } from '../within.js';
import type { Incoming } from './incoming.js';
import { problem, type Reply } from './reply.js';

/** Whose request it is: a user's id, null for an anonymous one, or the reply that refuses it. */
export async function userOf(
  incoming: Incoming,
  { authenticate, hookTimeout }: Pick<ResolvedOptions, 'authenticate' | 'hookTimeout'>,
  logger: Logger,
): Promise<string | null | Reply> {
  if (!authenticate) return null;
  let request: Request;
  try {
    request = incoming.request();
  } catch {
    return problem(400, 'Host and path of the request make no URL.');
  }
  try {
    const answer: unknown = authenticate(request);
    const user = isPromiseLike(answer) ? await within(hookTimeout, answer) : answer;
    if (user instanceof Response) {
      const headers = Object.fromEntries(user.headers);
      return { status: user.ok ? 401 : user.status, headers, body: Buffer.from(await user.arrayBuffer()) };
    }
    return user === null || user === undefined ? null : userIdOf(user, logger);
  } catch (err) {
    if (err instanceof TimeoutError) {
      logger.warn({ err }, 'authenticate takes too long: a request is refused, to be tried again');
      return problem(503, 'authenticate did not answer in time; try again.', { 'Retry-After': '2' });
    }
    logger.info({ err }, 'authenticate refused a request');
    return problem(401, 'authenticate refused this request.');
  }
}

/** What no user can have as id is a fault of the app, and not an anonymous client: many would share it. */
function userIdOf(value: unknown, logger: Logger): string | Reply {
  try {
    return toUserId(value, "authenticate's user");
  } catch (err) {
    logger.error({ err }, 'authenticate returned what is no user id: a request is refused');
    return problem(401, 'authenticate did not say who sends this request.');
  }
}
