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

/** The detail is spliced as text, so that numbers which JavaScript cannot hold reach the browser as they were stored. */
function withType({ detailText, topic, type }: Envelope): string {
  // Most details have no such text at all: a search costs next to nothing.
  const text = detailText.includes('"type"') ? withoutOwnType(detailText) : detailText;
  const head = text.slice(0, text.lastIndexOf('}')).trimEnd();
  const audience = topic === null ? '' : `":topic": ${JSON.stringify(topic)}, `;
  return `${head}${head === '{' ? '' : ', '}${audience}"type": ${JSON.stringify(type)}}`;
}

/** A string, or what gives JSON its structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** The detail without a `type` of its own, which the event's type replaces; one deeper down, or in a text, stays. */
function withoutOwnType(detailText: string): string {
  let depth = 0;
  let previous = '';
  /** Where the comma or brace before the last key stands. */
  let before = 0;
  let start: number | undefined;
  for (const { 0: token, index } of detailText.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth -= 1;
    if (start !== undefined && (depth === 0 || (depth === 1 && token === ','))) {
      // The comma that goes is the one behind it for the first key, the one before it for any other.
      const first = detailText[start] === '{';
      if (first && token === ',') return `{${detailText.slice(index + 1).trimStart()}`;
      return detailText.slice(0, first ? start + 1 : start) + detailText.slice(index);
    }
    if (depth === 1 && token === ',') before = index;
    if (token === '{' || token === '[') {
      depth += 1;
      if (depth === 1) before = index;
    }
    if (start === undefined && depth === 1 && token === ':' && previous === '"type"') start = before;
    previous = token;
  }
  return detailText;
}

/** Nothing the page sees, but a browser that loses the connection now comes back with this id. */
export const positionFrame = (position: string): Buffer => Buffer.from(`id: 0-${position}\n\n`);

export const retryFrame = (milliseconds: number): Buffer => Buffer.from(`retry: ${Math.round(milliseconds)}\n\n`);

/**
 * Its id lets a client that is cut off before its first event resume all the same.
 *
 * @param key - whose stream it is, for who asks with `?shareKey=1`: the browser client shares one among tabs where it is equal.
 * @param topics - which of the topics that it asked for it may hear, and which not.
 * @param resuming - what was missed comes first; its end is told by {@link levelFrame} to who has a key.
 */
export const connectedFrame = (
  position: string,
  key: string | undefined,
  resuming = false,
  topics?: object,
): Buffer => {
  const own = key === undefined ? {} : { key, resuming: resuming || undefined };
  const data = { type: 'connected', ...own, ...topics };
  return Buffer.from(`id: 0-${position}\ndata: ${JSON.stringify(data)}\n\n`);
};

/**
 * The connected frame once more, at the end of a resume. No id: what has been handed on since may not have been written yet.
 * No type of its own: a client of an older version hears nothing new.
 */
export const levelFrame = (key: string): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ type: 'connected', key })}\n\n`);

/** The stream goes on without this topic. */
export const leftFrame = (topic: string, reason: string): Buffer => notice({ type: 'left', topic, reason });

/** Who hears a topic: all of them to a newcomer, who came and who went to the others. */
export const presenceFrame = (presence: {
  topic: string;
  users?: readonly string[] | undefined;
  joined?: readonly string[];
  left?: readonly string[];
  count: number;
}): Buffer => notice({ type: 'presence', ...presence });

/** The stream ends, as `djr.disconnect` ordered. */
export const disconnectedFrame = (reason: string | undefined): Buffer => notice({ type: 'disconnected', reason });

/** No id: where the client stands is not changed by it. */
const notice = (data: object): Buffer => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);

export const resetFrame = (reason: string, position: string): Buffer =>
  Buffer.from(`id: 0-${position}\ndata: ${JSON.stringify({ type: 'reset', reason })}\n\n`);

export const heartbeatFrame = (position: string): Buffer => Buffer.from(`: heartbeat\nid: 0-${position}\n\n`);
