import type { Detail } from '../event/event.js';
import { remember, type Source } from './ack.js';
import { attend } from './attention.js';
import type { Awaited } from './awaited.js';
import { eventOf, isOwnWord, parseFrame } from './frame.js';
import { createLines, type Line } from './lines.js';
import { loadTopics } from './load.js';
import { safely } from './page.js';
import { mayTell } from './reset.js';
import { createSeen } from './seen.js';
import { createTabs, type Host } from './tabs/tabs.js';
import { createTold, domEvent, type Told } from './told.js';
import type { Member, Topics } from './topics/contract.js';
import type { ConnectOptions } from './types.js';

/** How many answers in a row may lack the resume that was asked for, before the page is told that it may have missed something. */
const MAX_UNRESUMED = 3;
/** Milliseconds within which a `reset` with its reason must follow an answer that has no resume. */
const REASON = 1000;
/** Milliseconds for which a stream waits for the part of the client that knows topics. If it is not loaded by then, the stream asks for no topics. */
const PART = 3000;

export interface SharedConnection {
  readonly source: Source;
  readonly told: Told;
  readonly lastId: string;
  readonly seen: Awaited['seen'];
  join(member: Member): void;
  /** Ends the connection for good. @param all - the app closes every connection, as on a logout */
  close(all: boolean): void;
}

/**
 * One connection of a page. Its events come from a stream of its own, or from the stream of the tab that leads.
 *
 * Every tab opens a stream of its own first, because only the server knows which user it belongs to: the `connected` frame names
 * the user by a `key`, and only tabs with the same endpoint and key share a stream. So a tab never gets events of another user.
 *
 * @param endpoint - the address as the app wrote it
 * @param name - the same for all ways to write that address
 */
export function createConnection(
  endpoint: string,
  name: string,
  options: ConnectOptions,
  awaited: Awaited,
): SharedConnection {
  const source: Source = { endpoint, options };
  const told = createTold();
  const seen = createSeen();
  /** Events that this page has fired. `seen` may have more, as the stream also carries events for other tabs. */
  const shown = createSeen();
  /** Topics that the app itself has written into the address of the stream. */
  const fixed = new URL(endpoint).searchParams.getAll('topic');
  awaited.known = shown.has;
  let topics: Topics | undefined;
  let loading: Promise<Topics> | undefined;
  /** Whether another tab has sent a message about topics. */
  let shared = false;
  let asleep = false;
  let user: string | undefined;
  let fromBeginning = false;
  /** Answers in a row that lacked the resume that was asked for. */
  let unresumed = 0;
  /** The reason that the server gave when it ended the stream. */
  let farewell: string | undefined;

  const handle = (data: Detail, id: string, repeat: boolean) => {
    const event = eventOf(id);
    if (!event) return handleWord(data);
    if (isOwnWord(data.type)) return;
    const topic = data[':topic'];
    const ofTopic = typeof topic === 'string';
    if (ofTopic && !fixed.includes(topic) && !topics?.hears(topic)) return;
    const first = shown.add(event);
    // If a topic begins at an earlier place than the stream, the stream repeats events that this page has not shown.
    const fresh = first && (ofTopic || !repeat);
    if (!fresh && !ofTopic) return;
    remember(data, event, source);
    const fired = fresh ? told.deliver(data, id) : domEvent(data, id);
    if (ofTopic) topics?.event(fired, fresh);
    awaited.fired(event);
  };

  const handleWord = (data: Detail) => {
    if (typeof data.topic === 'string') topics?.frame(data);
    else if (data.type !== 'reset') told.deliver(data);
    else {
      seen.clear();
      shown.clear();
      awaited.end('reset');
      if (!fromBeginning || mayTell(name, `${data.reason}`)) told.reset(data);
    }
  };

  const host: Host = {
    lastId: options.lastEventId ?? '',
    seen,
    get topics() {
      return topics;
    },
    withTopics(call) {
      shared = true;
      if (topics) call(topics);
      else load().then(call);
    },
    covered: () => topics?.covered() ?? !loading,
    open() {
      asleep = false;
      lines.open();
    },
    close: () => lines.close(),
    look: (silence) => lines.look(silence),
    show: (text, id, repeat) => handle(parseFrame(text), id, repeat),
    state(next) {
      told.become(next);
      if (next.state === 'waiting') told.failed(new Event('error'));
    },
  };

  // The number is the version of the messages between tabs: tabs that were loaded before an upgrade may use another one.
  const tabs = createTabs(host, options.shareTabs === false ? undefined : `djr 4 ${name} ${options.shareKey ?? ''}`);

  const load = () => {
    loading ??= loadTopics().then((create) => {
      topics = create({
        tabs,
        get current() {
          return lines.current;
        },
        replace: () => lines.replace(),
        fire: told.fire,
      });
      tabs.covered();
      return topics;
    });
    return loading;
  };

  const address = async (line: Line) => {
    // Topics that the page joins in the same turn are asked for as well.
    await undefined;
    if (loading && !topics) await Promise.race([loading, new Promise((resolve) => setTimeout(resolve, PART))]);
    // A stream without topics would lose events for the tabs that follow this one.
    if (shared && !topics && tabs.role === 'leading')
      throw new Error('djr: the part that knows topics is not loaded yet');
    const url = new URL(endpoint);
    const { token } = options;
    const value = typeof token === 'function' ? await token() : token;
    fromBeginning = !host.lastId || host.lastId === options.lastEventId;
    line.asksResume = !!(host.lastId || options.since);
    const { searchParams } = url;
    // The client listens for unnamed frames only.
    searchParams.delete('named');
    if (options.shareTabs !== false || loading) searchParams.set('shareKey', '1');
    searchParams.set('heartbeat', '1');
    if (value) searchParams.set('token', value);
    if (host.lastId) searchParams.set('lastEventId', host.lastId);
    else if (options.since) searchParams.set('since', options.since);
    topics?.ask(url, line);
    return url.href;
  };

  const frame = (line: Line, text: string, id: string): false | number | undefined => {
    const event = eventOf(id);
    let data: Detail;
    try {
      data = parseFrame(text);
    } catch (error) {
      host.lastId = id || host.lastId;
      safely(() => {
        throw error;
      });
      return;
    }
    if (!event && data.type === 'connected') return connected(line, data, id);
    // An answer without the resume leaves a gap, so nothing that follows it is taken, except a reset.
    if (line.accept && (event || data.type !== 'reset')) return false;
    line.accept?.();
    host.lastId = id || host.lastId;
    if (id) topics?.moved();
    if (!event && data.type === 'heartbeat') {
      fromBeginning = false;
      line.stream.pace(undefined, data.retry as number | undefined);
      tabs.alive();
      return;
    }
    if (!event && data.type === 'disconnected') {
      farewell = `${data.reason ?? 'disconnected'}`;
      return false;
    }
    const repeat = event > 0 && !seen.add(event);
    tabs.frame(text, id, event, repeat, !!topics?.isOwn(data));
    safely(handle, data, id, repeat);
    return;
  };

  /** Handles a `connected` frame. The server sends one when the stream begins, and a second one when a resume has ended. */
  const connected = (line: Line, data: Detail, id: string): number | undefined => {
    const first = !line.answered;
    const missing = first && (line.asksResume || !!topics?.resumes(line, data)) && data.resuming !== true;
    fromBeginning &&= first;
    line.answered = true;
    line.stream.pace(data.heartbeat as number | undefined, data.retry as number | undefined);
    if (missing && ++unresumed < MAX_UNRESUMED) {
      line.accept = () => accept(line, data, id);
      return REASON;
    }
    accept(line, data, id);
    if (missing) safely(handle, { type: 'reset', reason: 'the server did not resume the stream' }, '', false);
    return;
  };

  /** The stream does what it was asked for, or the server has said why it cannot: from here on it is the page's stream. */
  const accept = (line: Line, data: Detail, id: string) => {
    const key = `${data.key ?? ''}`;
    line.accept = farewell = undefined;
    unresumed = 0;
    host.lastId = id || host.lastId;
    // The part before the dot stands for the user; the rest tells streams of the same user apart.
    const [keyOfUser] = key.split('.');
    const otherUser = user !== undefined && user !== keyOfUser;
    user = keyOfUser;
    lines.stand(line);
    tabs.connected(key, data.resuming === true, Number(data.heartbeat) || 0);
    told.become({ state: 'open' });
    topics?.stands(line, data);
    // What the page shows now belongs to another user.
    if (otherUser) safely(handle, { type: 'reset', reason: 'user' }, '', false);
  };

  const lines = createLines(
    {
      address,
      frame,
      error: told.failed,
      state(next) {
        const said = next.state === 'waiting' && farewell ? { ...next, reason: farewell } : next;
        tabs.changed(said);
        told.become(said);
      },
    },
    { withCredentials: !!options.withCredentials },
  );

  host.open();
  const stopAttending = attend({
    look(silence) {
      if (asleep) host.open();
      else tabs.look(silence);
    },
    sleep() {
      tabs.leave();
      host.close();
      asleep = true;
      told.sleep();
    },
    tick(jumped) {
      lines.tick(jumped);
      tabs.tick();
      topics?.tick();
    },
  });

  return {
    source,
    told,
    seen: awaited.seen,
    get lastId() {
      return host.lastId;
    },
    join(member) {
      load().then((part) => {
        if (told.state.state === 'closed') member.room.leave();
        if (member.room.state !== 'left') part.join(member);
      });
    },
    close(all) {
      stopAttending();
      tabs.leave(all);
      host.close();
      topics?.close();
      awaited.end('closed');
      told.sleep();
      told.become({ state: 'closed' });
    },
  };
}
