import type { Envelope } from './envelope.js';

/**
 * The frame of an event: `id:` its id and the position, `data:` its detail with `type` added, on one line.
 *
 * @param named - adds the `event:` field, for clients that listen with addEventListener.
 */
export function eventFrame(envelope: Envelope, position: string, named: boolean): Buffer {
  const name = named ? `event: ${envelope.type}\n` : '';
  return Buffer.from(`id: ${envelope.id}-${position}\n${name}data: ${withType(envelope)}\n\n`);
}

/**
 * The detail is spliced as text, so that numbers which JavaScript cannot hold reach the browser as they were stored.
 * Only a detail with a `type` of its own (which the event's type replaces) has to be parsed.
 */
function withType({ detailText, type }: Envelope): string {
  if (detailText.includes('"type"')) return JSON.stringify({ ...JSON.parse(detailText), type });
  const head = detailText.slice(0, -1).trimEnd();
  return `${head}${head === '{' ? '' : ', '}"type": ${JSON.stringify(type)}}`;
}

/** Nothing the page sees, but a browser that loses the connection now comes back with this id. */
export const positionFrame = (position: string): Buffer => Buffer.from(`id: 0-${position}\n\n`);

export const retryFrame = (milliseconds: number): Buffer => Buffer.from(`retry: ${Math.round(milliseconds)}\n\n`);

/**
 * Its id lets a client that is cut off before its first event resume all the same.
 *
 * @param key - whose stream it is, for who asks with `?key=1`: the browser client shares one among tabs where it is equal.
 */
export const connectedFrame = (position: string, key: string | undefined): Buffer =>
  Buffer.from(`id: 0-${position}\ndata: ${JSON.stringify({ type: 'connected', key })}\n\n`);

export const resetFrame = (reason: string, position: string): Buffer =>
  Buffer.from(`id: 0-${position}\ndata: ${JSON.stringify({ type: 'reset', reason })}\n\n`);

export const heartbeatFrame = (position: string): Buffer => Buffer.from(`: heartbeat\nid: 0-${position}\n\n`);
