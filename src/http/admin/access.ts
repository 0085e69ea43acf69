import type { Logger } from '../../logger.js';
import type { AdminAuthorize } from '../../options.js';
import type { Incoming } from '../incoming.js';
import type { Reply } from '../reply.js';
import { errorPage } from './page.js';

export interface AccessOptions {
  root: string;
  authorize: AdminAuthorize;
  logger: Logger;
}

/** Who may see the admin: the app says, and nothing but its `true` lets anyone in. @returns why not, or undefined */
export async function refuse(
  incoming: Incoming,
  { root, authorize, logger }: AccessOptions,
): Promise<Reply | undefined> {
  let request: Request;
  try {
    request = incoming.request();
  } catch {
    return errorPage(root, 400, 'Host and path of the request make no URL.');
  }
  let answer: unknown;
  try {
    answer = await authorize(request);
  } catch (err) {
    if (!(err instanceof Response)) logger.error({ err }, 'admin.authorize failed: nobody is let in');
    answer = err;
  }
  if (answer instanceof Response) return toReply(answer);
  if (answer === true) return undefined;
  const hint = 'Log in to the app as somebody who may (option admin.authorize), and come again.';
  return errorPage(root, 403, 'This page is for those who run this app.', hint);
}

async function toReply(response: Response): Promise<Reply> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));
  return {
    status: response.status,
    headers: { 'Cache-Control': 'no-store', ...headers },
    cookies: response.headers.getSetCookie(),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
