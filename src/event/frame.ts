import type { Envelope } from './envelope.js';
import { TIME } from './position.js';

/** An EventSource fires events of these names for its own connection: a frame of that name would call `onopen` or `onerror`. */
const TAKEN_NAMES: ReadonlySet<string> = new Set(['open', 'error']);

/**
 * How a client hears that its stream lives.
 *
 * - `silent`: a comment and an id. An EventSource fires nothing for it, and reconnects from that id.
 * - `visible`: a frame of the type `heartbeat` with the id, for clients that ask with `?heartbeat=1`.
 * - `comment`: a comment alone, for readers that may show a frame without data to the app as an empty message.
 */
export type Pulse = 'silent' | 'visible' | 'comment';

/**
 * The frame of an event: `id:` its id, the position and when it was inserted, `data:` its detail with `type` added, on one line.
 *
 * @param named - adds the `event:` field, for clients that listen with addEventListener. The types `open` and `error` get none.
 */
export function eventFrame(envelope: Envelope, position: string, named: boolean): Buffer {
  const name = named && !TAKEN_NAMES.has(envelope.type) ? `event: ${envelope.type}\n` : '';
  return Buffer.from(
    `id: ${envelope.id}-${position}${TIME}${envelope.createdAt.toString(36)}\n${name}data: ${withType(envelope)}\n\n`,
  );
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

/** A client that loses the connection now comes back with this id. Undefined: this client cannot be told in silence. */
export function positionFrame(position: string, pulse: Pulse): Buffer | undefined {
  if (pulse === 'comment') return undefined;
  return pulse === 'visible' ? heartbeatFrame(position, pulse) : Buffer.from(`id: 0-${position}\n\n`);
}

/** How long to wait before a reconnect. Where the pulse is a comment, the blank line would be a frame without data. */
export const retryFrame = (milliseconds: number, pulse: Pulse): Buffer =>
  Buffer.from(`retry: ${Math.round(milliseconds)}${pulse === 'comment' ? '\n' : '\n\n'}`);

/** The last frame of a stream that a shutdown ends. An EventSource keeps `retry:` from its page, so a heartbeat says it too. */
export function farewellFrame(milliseconds: number, pulse: Pulse): Buffer {
  const frame = retryFrame(milliseconds, pulse);
  if (pulse !== 'visible') return frame;
  const data = JSON.stringify({ type: 'heartbeat', retry: Math.round(milliseconds) });
  return Buffer.concat([frame, Buffer.from(`data: ${data}\n\n`)]);
}

/** What the connected frame tells beside the position. */
export interface Greeting {
  /** Whose stream it is, for clients that ask with `?shareKey=1`: tabs share a stream only where it is equal. */
  key: string | undefined;
  /** True where what was missed comes first; {@link levelFrame} tells its end to clients that have a key. */
  resuming?: true;
  /** Milliseconds of silence between two visible heartbeats, and what `retry:` says. */
  heartbeat?: number;
  retry?: number;
  /** Of the topics that it asked for: which it may hear, which not and why, and in how many seconds a permission ends. */
  topics?: readonly string[];
  refused?: readonly string[];
  reasons?: Readonly<Record<string, string>> | undefined;
  expires?: Readonly<Record<string, number>> | undefined;
}

/** Its id lets a client that is cut off before its first event resume all the same. */
export const connectedFrame = (position: string, greeting: Greeting): Buffer => {
  const data = JSON.stringify({ type: 'connected', ...greeting });
  return Buffer.from(`id: 0-${position}\ndata: ${data}\n\n`);
};

/**
 * The connected frame once more, at the end of a resume. No id: what has been delivered since may not have been written yet.
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

/**
 * A sign of life after silence.
 *
 * @param position - undefined: the client has not got yet all that a position promises.
 */
export function heartbeatFrame(position: string | undefined, pulse: Pulse): Buffer {
  if (pulse === 'comment') return Buffer.from(': heartbeat\n');
  const id = position === undefined ? '' : `id: 0-${position}\n`;
  return Buffer.from(pulse === 'visible' ? `${id}data: {"type":"heartbeat"}\n\n` : `: heartbeat\n${id}\n`);
}
