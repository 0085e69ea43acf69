import type { Logger } from '../logger.js';
import type { ResolvedOptions } from '../options.js';
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
    if (user === null || user === undefined || user === '') return null;
    if (!['string', 'number', 'bigint'].includes(typeof user)) {
      throw new TypeError(`authenticate must return the user's id or null (it returned ${typeof user})`);
    }
    return String(user);
  } catch (err) {
    if (err instanceof TimeoutError) {
      logger.warn({ err }, 'authenticate takes too long: a request is refused, to be tried again');
      return problem(503, 'authenticate did not answer in time; try again.', { 'Retry-After': '2' });
    }
    logger.info({ err }, 'authenticate refused a request');
    return problem(401, 'authenticate refused this request.');
  }
}
