import type { Envelope } from './envelope.js';
import { TIME } from './position.js';

/** An EventSource fires events of these names for its own connection, so a frame with such a name would call `onopen` or `onerror`. */
const TAKEN_NAMES: ReadonlySet<string> = new Set(['open', 'error']);

/**
 * The form of a client's heartbeats.
 *
 * - `silent`: a comment and an id. An EventSource fires nothing for it, and reconnects with that id.
 * - `visible`: a frame of type `heartbeat` with an id, for clients that ask with `?heartbeat=1`.
 * - `comment`: a comment alone, for readers that may pass a frame without data to the app as an empty message.
 */
export type Pulse = 'silent' | 'visible' | 'comment';

/**
 * The frame of an event. `id:` has the event's id, the position and when the event was inserted; `data:` has its detail with `type`
 * added, on one line.
 *
 * @param named - adds the `event:` field, for clients that listen with addEventListener. The types `open` and `error` get none.
 */
export function eventFrame(envelope: Envelope, position: string, named: boolean): Buffer {
  const name = named && !TAKEN_NAMES.has(envelope.type) ? `event: ${envelope.type}\n` : '';
  return Buffer.from(
    `id: ${envelope.id}-${position}${TIME}${envelope.createdAt.toString(36)}\n${name}data: ${withType(envelope)}\n\n`,
  );
}

/** Adds the type, and the topic, to the text of the detail. It is not parsed, so that numbers which JavaScript cannot hold stay as they were stored. */
function withType({ detailText, topic, type }: Envelope): string {
  // Most details do not contain this text, and searching for it costs next to nothing.
  const text = detailText.includes('"type"') ? withoutOwnType(detailText) : detailText;
  const head = text.slice(0, text.lastIndexOf('}')).trimEnd();
  const audience = topic === null ? '' : `":topic": ${JSON.stringify(topic)}, `;
  return `${head}${head === '{' ? '' : ', '}${audience}"type": ${JSON.stringify(type)}}`;
}

/** A string, or what gives JSON its structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Removes a member `type` of the detail, which the event's type replaces. A `type` deeper down, or inside a text, stays. */
function withoutOwnType(detailText: string): string {
  let depth = 0;
  let previous = '';
  /** The place of the comma or brace before the last key. */
  let before = 0;
  let start: number | undefined;
  for (const { 0: token, index } of detailText.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth -= 1;
    if (start !== undefined && (depth === 0 || (depth === 1 && token === ','))) {
      // For the first key the comma after the member is removed as well, for any other key the comma before it.
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

/** A frame that only moves the client's last id. Undefined if the client's pulse is `comment`: it would see an empty message. */
export function positionFrame(position: string, pulse: Pulse): Buffer | undefined {
  if (pulse === 'comment') return undefined;
  return pulse === 'visible' ? heartbeatFrame(position, pulse) : Buffer.from(`id: 0-${position}\n\n`);
}

/** Tells how long to wait before a reconnect. With the pulse `comment` there is no blank line, as that would end a frame without data. */
export const retryFrame = (milliseconds: number, pulse: Pulse): Buffer =>
  Buffer.from(`retry: ${Math.round(milliseconds)}${pulse === 'comment' ? '\n' : '\n\n'}`);

/** The last frame of a stream that the server ends: when to reconnect. An EventSource hides `retry:` from the page, so a visible heartbeat says it as well. */
export function farewellFrame(milliseconds: number, pulse: Pulse): Buffer {
  const frame = retryFrame(milliseconds, pulse);
  if (pulse !== 'visible') return frame;
  const data = JSON.stringify({ type: 'heartbeat', retry: Math.round(milliseconds) });
  return Buffer.concat([frame, Buffer.from(`data: ${data}\n\n`)]);
}

/** What the `connected` frame says beside the position. */
export interface Greeting {
  /** Stands for the user, for clients that ask with `?shareKey=1`: tabs share a stream only if their keys are equal. */
  key: string | undefined;
  /** True if missed events come first; {@link levelFrame} tells clients with a key that they have all come. */
  resuming?: true;
  /** Milliseconds of silence between two visible heartbeats. */
  heartbeat?: number;
  /** Milliseconds before a reconnect, as `retry:` says them. */
  retry?: number;
  /** The topics that the client asked for and may hear. */
  topics?: readonly string[];
  /** The topics that it may not hear. */
  refused?: readonly string[];
  /** Why each of those is refused. */
  reasons?: Readonly<Record<string, string>> | undefined;
  /** In how many seconds the permission for a topic ends. */
  expires?: Readonly<Record<string, number>> | undefined;
}

/** The first frame of a stream. It has an id, so that a client which is cut off before its first event can resume as well. */
export const connectedFrame = (position: string, greeting: Greeting): Buffer => {
  const data = JSON.stringify({ type: 'connected', ...greeting });
  return Buffer.from(`id: 0-${position}\ndata: ${data}\n\n`);
};

/**
 * A second `connected` frame, at the end of a resume. It has no id, because events that were delivered since may not have been written
 * yet. It has no type of its own, so that a client of an older version sees nothing new.
 */
export const levelFrame = (key: string): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ type: 'connected', key })}\n\n`);

/** Tells that the client no longer gets events of this topic; the stream goes on. */
export const leftFrame = (topic: string, reason: string): Buffer => notice({ type: 'left', topic, reason });

/** Tells who hears a topic: all users for a client that has just joined; who came and who went for the others. */
export const presenceFrame = (presence: {
  topic: string;
  users?: readonly string[] | undefined;
  joined?: readonly string[];
  left?: readonly string[];
  count: number;
}): Buffer => notice({ type: 'presence', ...presence });

/** Tells that the stream ends, and why: by an order of `djr.disconnect`, or because the login has expired. */
export const disconnectedFrame = (reason: string | undefined): Buffer => notice({ type: 'disconnected', reason });

/** A frame without an id, which does not change where the client resumes. */
const notice = (data: object): Buffer => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);

export const resetFrame = (reason: string, position: string): Buffer =>
  Buffer.from(`id: 0-${position}\ndata: ${JSON.stringify({ type: 'reset', reason })}\n\n`);

/**
 * A heartbeat, sent after silence.
 *
 * @param position - undefined if the client has not yet got everything up to the position
 */
export function heartbeatFrame(position: string | undefined, pulse: Pulse): Buffer {
  if (pulse === 'comment') return Buffer.from(': heartbeat\n');
  const id = position === undefined ? '' : `id: 0-${position}\n`;
  return Buffer.from(pulse === 'visible' ? `${id}data: {"type":"heartbeat"}\n\n` : `: heartbeat\n${id}\n`);
}
