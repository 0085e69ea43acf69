// @ts-check
import { createRealtime } from 'djr';

/** Next loads this module once for each bundle, and again after each change in development: there is one instance all the same. */
const here = /** @type {{ djr?: import('djr').Realtime }} */ (globalThis);

here.djr ??= createRealtime({
  database: process.env.DATABASE_URL,
  // Next waits for open streams before it ends.
  stopOn: ['SIGTERM', 'SIGINT'],
  // Your session, from the request's cookies.
  authenticate: (request) => /(?:^|; )name=([\w-]{1,30})/.exec(request.headers.get('cookie') ?? '')?.[1] ?? null,
});

export const realtime = here.djr;
