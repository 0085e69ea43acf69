import { isPromiseLike, within } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logger.js';
import type { Authorize } from '../../realtime-options.js';
import type { Incoming } from '../incoming.js';
import { fromResponse, type Reply } from '../reply.js';

export interface GuardOptions {
  authorize: Authorize;
  /** The name of the option, for the log. */
  name: string;
  /** Milliseconds that it may take. */
  hookTimeout: number;
  logger: Logger;
}

/**
 * Asks the app whether it lets a request in. Only `true` does.
 *
 * @returns whether the request is let in; the reply, if the app answered with a Response; `unreadable`, if the request makes no URL
 */
export async function ask(
  incoming: Incoming,
  { authorize, name, hookTimeout, logger }: GuardOptions,
): Promise<boolean | Reply | 'unreadable'> {
  let request: Request;
  try {
    request = incoming.request();
  } catch {
    return 'unreadable';
  }
  let answer: unknown;
  try {
    answer = authorize(request, incoming.context);
    if (isPromiseLike(answer)) answer = await within(hookTimeout, answer);
  } catch (err) {
    if (!(err instanceof Response)) logger.error({ err }, `${name} failed: nobody is let in`);
    answer = err;
  }
  return answer instanceof Response ? fromResponse(answer, hookTimeout) : answer === true;
}
