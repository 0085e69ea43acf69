import { ask } from '../http/guards/guard.js';
import type { Incoming } from '../http/incoming.js';
import type { Reply } from '../http/reply.js';
import type { Logger } from '../lib/logger.js';
import type { Authorize } from '../realtime-options.js';
import { errorPage } from './page.js';

export interface AccessOptions {
  root: string;
  authorize: Authorize;
  /** Milliseconds that `authorize` may take. */
  hookTimeout: number;
  logger: Logger;
}

/** Asks the app whether a request may see the admin. Only `true` lets it in. @returns the reply that refuses it, or undefined */
export async function refuse(incoming: Incoming, { root, ...options }: AccessOptions): Promise<Reply | undefined> {
  const answer = await ask(incoming, { ...options, name: 'admin.authorize' });
  if (answer === 'unreadable') return errorPage(root, 400, 'Host and path of the request make no URL.');
  if (typeof answer === 'object') return answer;
  if (answer) return undefined;
  const hint = 'Log in to the app as somebody who may (option admin.authorize), and come again.';
  return errorPage(root, 403, 'This page is for those who run this app.', hint);
}
