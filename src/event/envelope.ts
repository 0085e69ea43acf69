import { type Audience, audienceOf, fits } from './audience.js';
import type { Detail, Event, Scope } from './event.js';

/** An event on its way through the runtime. Its detail stays text until a hook or a subscriber needs it parsed. */
export class Envelope {
  readonly id: number;
  /** The publisher's transaction; null: the event is without a row, as it was published with `store => false` or while storage was off. */
  readonly xid: number | null;
  /** Whether it was published with `store => false`, so that it is in no history and no resume. Not every event without a row was. */
  readonly unstored: boolean;
  /** `control` marks an order of `djr.disconnect` or `djr.recheck` to the runtimes. */
  readonly scope: Scope | 'control';
  readonly userId: string | null;
  readonly topic: string | null;
  /** The clients that get it; undefined: none. */
  readonly audience: Audience | undefined;
  readonly type: string;
  /** Milliseconds since 1970, by the database's clock. */
  readonly createdAt: number;
  /** A JSON object on one line. */
  readonly detailText: string;

  constructor(
    id: number,
    xid: number | null,
    scope: Scope | 'control',
    userId: string | null,
    type: string,
    createdAt: number,
    detailText: string,
    topic: string | null = null,
    unstored = false,
  ) {
    this.id = id;
    this.xid = xid;
    this.scope = scope;
    this.userId = userId;
    this.topic = topic;
    this.audience = scope === 'control' ? undefined : audienceOf(scope, userId, topic);
    this.type = type;
    this.createdAt = createdAt;
    this.detailText = detailText;
    this.unstored = unstored;
  }

  /** About how many bytes it takes in memory, with the frame that is made of it: text, buffer and objects. */
  get size(): number {
    return this.detailText.length * 2 + 300;
  }

  /** Whether its detail alone is larger than a NOTIFY message can be. */
  get isLarge(): boolean {
    return this.detailText.length > MAX_MESSAGE;
  }

  /** Makes a copy for one hook or subscriber, so that its changes affect nobody else. */
  toEvent(): Event {
    return {
      id: this.id,
      type: this.type,
      scope: this.scope as Scope,
      userId: this.userId,
      topic: this.topic,
      detail: JSON.parse(this.detailText) as Detail,
      createdAt: new Date(this.createdAt),
    };
  }

  /**
   * Makes the envelope of the event that a hook returned. It is this same object if the hook changed nothing.
   *
   * @throws if its detail makes no JSON object: because of a cycle, a bigint, or a `toJSON` that returns something else
   */
  withEvent(event: Event): Envelope {
    const detailText: string | undefined = JSON.stringify(event.detail);
    if (!detailText?.startsWith('{')) throw new Error('the detail that a hook returns must make a JSON object');
    const sameDetail = detailText === JSON.stringify(JSON.parse(this.detailText));
    const topic = event.topic ?? null;
    const same =
      event.type === this.type && event.scope === this.scope && event.userId === this.userId && topic === this.topic;
    if (same && sameDetail) return this;
    return new Envelope(
      this.id,
      this.xid,
      event.scope,
      event.userId,
      event.type,
      this.createdAt,
      sameDetail ? this.detailText : detailText,
      topic,
      this.unstored,
    );
  }
}

/** Bytes that one NOTIFY message can have. */
export const MAX_MESSAGE = 7999;

/** Whether the type can stand in a frame and in the name of a DOM event. The database checks the full rule. */
export const isType = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && !/[\s\p{Cc}]/u.test(value);

/**
 * Decodes a NOTIFY message. Each line is one event: a JSON header, a tab and the detail (docs/delivery.md).
 *
 * @throws if any line is malformed. Any role that knows the channel can send to it, so nothing of such a message is trusted.
 */
export function decodeMessage(message: string): Envelope[] {
  return message.split('\n').map(decodeLine);
}

function decodeLine(line: string): Envelope {
  const tab = line.indexOf('\t');
  if (tab < 0) throw new Error('no tab between header and detail');
  const header = parse(line.slice(0, tab));
  // A later version may have more than six elements. During a rolling deploy this version must be able to read them.
  if (!Array.isArray(header) || header.length < 6) throw new Error('the header is not an array of at least six');
  const [id, xid, scope, userId, type, createdAt, topic = null, mark] = header as unknown[];
  const detailText = line.slice(tab + 1).trim();
  const sound =
    isCount(id) &&
    id > 0 &&
    (xid === null || (typeof xid === 'string' && /^\d{1,16}$/.test(xid) && isCount(Number(xid)))) &&
    fits(scope, userId, topic) &&
    isType(type) &&
    isCount(createdAt) &&
    createdAt <= MAX_TIME;
  if (!sound) throw new Error('the header has a value of the wrong kind');
  // A carriage return is white space in JSON, but ends a field of a frame.
  if (detailText.includes('\r') || !isObject(parse(detailText))) throw new Error('the detail is not an object');
  return new Envelope(
    id,
    xid === null ? null : Number(xid),
    scope as Scope | 'control',
    userId as string | null,
    type,
    createdAt,
    detailText,
    topic as string | null,
    xid === null && mark === UNSTORED,
  );
}

/** The element after the topic in the header of an event with `store => false`. */
export const UNSTORED = 'unstored';

/** The last millisecond that a Date can hold. */
const MAX_TIME = 8.64e15;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Parses JSON with an error of its own: the parser's message quotes the text, which must not get into logs. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
