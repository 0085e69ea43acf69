// #region mount
import { realtime } from '../../lib/realtime.js';

/** @type {import('astro').APIRoute} */
export const ALL = ({ request, locals }) => realtime.fetch(request, { userId: locals.user });
// #endregion
