// @ts-check
// #region mount
import { getServerSession } from 'next-auth';
import { authOptions } from '../../lib/auth.js';
import { realtime } from '../../lib/realtime.js';

export const dynamic = 'force-dynamic';

/** @param {Request} request */
async function handle(request) {
  const session = await getServerSession(authOptions);
  return realtime.fetch(request, { userId: session?.user?.name });
}

export { handle as GET, handle as OPTIONS, handle as POST };
// #endregion
