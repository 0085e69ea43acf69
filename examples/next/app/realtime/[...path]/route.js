// @ts-check
import { realtime } from '../../lib/realtime.js';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

/** @param {Request} request */
const handle = (request) => realtime.fetch(request);

export { handle as GET, handle as OPTIONS, handle as POST };
