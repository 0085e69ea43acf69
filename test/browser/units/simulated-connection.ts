import { createAwaited } from '../../../src/browser/awaited.js';
import { createConnection } from '../../../src/browser/connection.js';
import type { ConnectOptions } from '../../../src/browser/types.js';
import { type SimulatedPage, settle } from './simulated-page.js';

/** Where the simulated page has its stream. */
export const ENDPOINT = 'http://localhost/realtime/sse/';

/** A page whose tabs share nothing, so that it has a stream of its own. */
export async function openConnection(options: ConnectOptions = {}) {
  const awaited = createAwaited();
  const connection = createConnection(ENDPOINT, ENDPOINT, { shareTabs: false, ...options }, awaited);
  await settle();
  return { connection, awaited };
}

/** Of what was fired, in order. */
export const names = (page: SimulatedPage) => page.fired.map(([name]) => name);

/** The ids from which the streams were asked for, in order. */
export const asked = (page: SimulatedPage) => page.sources.map(({ url }) => url.searchParams.get('lastEventId'));
