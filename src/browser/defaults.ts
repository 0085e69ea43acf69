import type { ConnectOptions } from './client.js';

/** Options for calls that leave them out; the script tag sets them. */
export const defaults: ConnectOptions = { endpoint: '/realtime/sse/' };
