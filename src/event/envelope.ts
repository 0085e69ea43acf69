import { type Audience, audienceOf } from './audience.js';
import type { Detail, Event, Scope } from './event.js';
import { isUserText } from './user-id.js';

/** An event on its way through the runtime. The detail stays text until somebody needs it parsed. */
export class Envelope {
  readonly id: number;
  /** The publisher's transaction; null when the event is not stored. */
  readonly xid: number | null;
  /** Published with `store => false`: it is in no history and no resume. While storage is off the others have no row either. */
  readonly unstored: boolean;
  /** `control`: an order of `djr.disconnect` or `djr.recheck` to the runtimes. */
  readonly scope: Scope | 'control';
  readonly userId: string | null;
  readonly topic: string | null;
  /** Which clients get it; undefined: none. */
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

  /** Bytes that it takes in memory, about, with the frame that is made of it: text, buffer and objects. */
  get size(): number {
    return this.detailText.length * 2 + 300;
  }

  /** Whether NOTIFY could not have carried it, whatever its header is. */
  get isLarge(): boolean {
    return this.detailText.length > MAX_MESSAGE;
  }

  /** A copy of its own for one hook or subscriber: what it changes, it changes for itself. */
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
   * The envelope of what a hook made of this event; the same object where it changed nothing.
   *
   * @throws when its detail makes no JSON object: a cycle, a bigint, a `toJSON` that returns something else.
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

/** Bytes of one NOTIFY message. */
export const MAX_MESSAGE = 7999;

/** Whether scope, user and topic are ones that go together, as `djr._fits` says it. */
export function fits(scope: unknown, userId: unknown, topic: unknown): boolean {
  if (userId !== null && !isUserText(userId)) return false;
  if (topic !== null) return typeof topic === 'string' && topic !== '' && scope === 'topic' && userId === null;
  if (scope === 'control' || scope === 'system') return true;
  return userId === null ? scope === 'public' : scope === 'user';
}

const SCOPES: ReadonlySet<unknown> = new Set<Scope | 'control'>(['user', 'public', 'topic', 'system', 'control']);

/** Whether the type can stand in a frame and in a DOM event's name. The schema holds the full rule. */
export const isType = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && !/[\s\p{Cc}]/u.test(value);

/**
 * Decodes a NOTIFY message: an event a line, a JSON header, a tab and the detail (docs/delivery.md).
 *
 * @throws when any line is broken: whoever can send to the channel could have sent it, so nothing of it is believed.
 */
export function decodeMessage(message: string): Envelope[] {
  return message.split('\n').map(decodeLine);
}

function decodeLine(line: string): Envelope {
  const tab = line.indexOf('\t');
  if (tab < 0) throw new Error('no tab between header and detail');
  const header = parse(line.slice(0, tab));
  // A later version may say more behind the six: in a rolling deploy it must not be garbage to this one.
  if (!Array.isArray(header) || header.length < 6) throw new Error('the header is not an array of at least six');
  const [id, xid, scope, userId, type, createdAt, topic = null, mark] = header as unknown[];
  const detailText = line.slice(tab + 1).trim();
  const sound =
    isCount(id) &&
    id > 0 &&
    (xid === null || (typeof xid === 'string' && /^\d{1,16}$/.test(xid) && isCount(Number(xid)))) &&
    SCOPES.has(scope) &&
    fits(scope, userId, topic) &&
    isType(type) &&
    isCount(createdAt) &&
    createdAt <= MAX_TIME;
  if (!sound) throw new Error('the header has a value of the wrong kind');
  // A carriage return is white space to JSON and the end of a field to a browser.
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

/** Behind the topic in the header of an event with `store => false`. */
export const UNSTORED = 'unstored';

/** The last millisecond that a Date can hold. */
const MAX_TIME = 8.64e15;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The parser's own message quotes the text, which is not for logs. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
