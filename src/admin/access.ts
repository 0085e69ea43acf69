import { ask } from '../http/guards/guard.js';
import type { Incoming } from '../http/incoming.js';
import type { Reply } from '../http/reply.js';
import type { Logger } from '../lib/logger.js';
import type { Authorize } from '../options.js';
import { errorPage } from './page.js';

export interface AccessOptions {
  root: string;
  authorize: Authorize;
  /** Milliseconds. */
  hookTimeout: number;
  logger: Logger;
}

/** Who may see the admin: the app says, and nothing but its `true` lets anyone in. @returns why not, or undefined */
export async function refuse(incoming: Incoming, { root, ...options }: AccessOptions): Promise<Reply | undefined> {
  const answer = await ask(incoming, { ...options, name: 'admin.authorize' });
  if (answer === 'unreadable') return errorPage(root, 400, 'Host and path of the request make no URL.');
  if (typeof answer === 'object') return answer;
  if (answer) return undefined;
  const hint = 'Log in to the app as somebody who may (option admin.authorize), and come again.';
  return errorPage(root, 403, 'This page is for those who run this app.', hint);
}
