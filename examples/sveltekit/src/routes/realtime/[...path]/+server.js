// #region mount
import { realtime } from '#lib/server/realtime.js';

// The stream is at /realtime/sse/, and djr.js has no slash at its end.
export const trailingSlash = 'ignore';

/** @param {import('@sveltejs/kit').RequestEvent} event */
const handle = ({ request, locals }) => realtime.fetch(request, { userId: locals.user });

export { handle as GET, handle as OPTIONS, handle as POST };
// #endregion
