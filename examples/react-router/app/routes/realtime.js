// #region mount
import { realtime } from '../lib/realtime.server.js';
import { userOf } from '../lib/session.server.js';

/** @param {{ request: Request }} args */
const handle = async ({ request }) => realtime.fetch(request, { userId: await userOf(request) });

export { handle as action, handle as loader };
// #endregion
