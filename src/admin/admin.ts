import type { Endpoint, StreamStart } from '../http/endpoint.js';
import { assetReply } from '../http/endpoints/assets.js';
import type { Incoming } from '../http/incoming.js';
import { PERSONAL_HEADERS, type Reply } from '../http/reply.js';
import type { Series } from '../instance/series.js';
import { within } from '../lib/deadline.js';
import { DjrError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { isUnreachable } from '../postgres/unreachable.js';
import type { Authorize } from '../realtime-options.js';
import type { Hooks } from '../stream/hooks.js';
import type { Health } from '../telemetry/health.js';
import { refuse } from './access.js';
import { Csrf } from './csrf.js';
import { eventBody, privateBody } from './event-page.js';
import { eventsBody } from './events-page.js';
import { isId, readSearch } from './filter.js';
import { readForm } from './form.js';
import { titleOf } from './links.js';
import { liveBody } from './live-page.js';
import { LiveStreams } from './live-stream.js';
import type { Online } from './online.js';
import { overviewBody } from './overview-page.js';
import { errorPage, page } from './page.js';
import { confirmBody, doneBody, readIds } from './replay-page.js';
import type { AdminStore, EventSummary } from './store.js';

export interface AdminOptions {
  basePath: string;
  /** The base path as browsers see it, if a proxy removes a part of it. */
  publicPath: string;
  authorize: Authorize;
  /** Milliseconds that `authorize` may take. */
  hookTimeout: number;
  logger: Logger;
  store: AdminStore;
  hooks: Hooks;
  /** Whether the option `presence` is on. */
  presence: boolean;
  /** The name of this instance. */
  instance: string;
  series: Series;
  health(): Health;
  /** Resolves when the database is connected. */
  ready(): Promise<void>;
}

/** Events on one page of the list. */
const PAGE_SIZE = 50;

/** Milliseconds that the overview waits for PostgreSQL. What it has in memory is needed most while PostgreSQL does not answer. */
const OVERVIEW_PATIENCE = 2000;

/** Characters that an address may have: enough for a filter, or a hundred ids. */
const MAX_TARGET = 8192;

const ASSETS = ['admin.css', 'admin.js', 'htmx.min.js'] as const;

/** The pages at `admin/`. The app authorises each request, and each error is shown as a page. */
export class Admin implements Endpoint {
  readonly path = 'admin/*';
  /** A wrong method is answered with a page. */
  readonly methods = 'any';
  readonly #options: AdminOptions;
  /** The admin's paths: the one in links, and the one of requests as they arrive here. */
  readonly #root: string;
  readonly #ownRoot: string;
  readonly #csrf: Csrf;
  readonly #live: LiveStreams;
  readonly #onceLog: OnceLogger;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#root = `${options.publicPath}/admin/`;
    this.#ownRoot = `${options.basePath}/admin/`;
    this.#csrf = new Csrf(`${options.publicPath}/admin`, () => options.store.secret());
    this.#live = new LiveStreams(options.hooks);
    this.#onceLog = new OnceLogger(options.logger);
  }

  async respond(incoming: Incoming): Promise<Reply | StreamStart> {
    if (incoming.target.length > MAX_TARGET) return this.#error(400, 'The address is too long.');
    const { pathname: path, search: query } = new URL(incoming.target, 'http://admin');
    const steps = path.slice(this.#ownRoot.length).split('/').filter(Boolean);
    const asset = steps.length === 2 && steps[0] === 'assets' && ASSETS.find((name) => name === steps[1]);
    // Assets need no permission: they have no secrets, and a page that refuses a request needs its style, too.
    if (asset) {
      const load = async () => (await import('./assets.js')).ADMIN_ASSETS[asset];
      return assetReply(asset, load, incoming.header('if-none-match'));
    }
    try {
      const refusal = await refuse(incoming, { ...this.#options, root: this.#root });
      // htmx cannot put a refusal into a part of a page, so it loads the whole page again, which then shows the refusal.
      if (refusal && incoming.header('hx-request')) {
        return { status: 403, headers: { 'HX-Refresh': 'true', ...PERSONAL_HEADERS }, body: '' };
      }
      if (refusal) return refusal;
      const posts = steps.join('/') === 'replay';
      const methods = posts ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
      if (!methods.includes(incoming.method)) {
        return this.#error(405, `This page knows ${methods.join(', ')}.`, '', { Allow: methods.join(', ') });
      }
      return await this.#route(steps, new URLSearchParams(query), incoming);
    } catch (err) {
      return this.#failed(err);
    }
  }

  async #route(steps: string[], query: URLSearchParams, incoming: Incoming): Promise<Reply | StreamStart> {
    const [section, id, rest] = steps;
    if (section === 'live' && steps.length === 2 && id === 'stream') {
      return this.#live.open();
    }
    if (section === 'live' && steps.length === 1) {
      return page({ root: this.#root, title: 'Live', section, body: liveBody(this.#root, query) });
    }
    if (section === 'overview' && steps.length === 1) return this.#overview();
    await this.#options.ready().catch((cause: unknown) => {
      throw new DjrError('DJR_BUSY', 'The database cannot be reached yet.', { hint: 'Try again in a moment.', cause });
    });
    if (section === undefined) return this.#events(query);
    if (section === 'replay' && steps.length === 1) {
      if (incoming.method === 'POST') return this.#replay(incoming);
      return query.has('done') ? this.#done(query) : this.#confirm(query, incoming);
    }
    if (section === 'events' && id !== undefined && isId(id)) {
      if (steps.length === 2) return this.#event(id);
      if (steps.length === 3 && rest === 'private') return this.#privateData(id, incoming);
    }
    return this.#error(404, 'There is no such page.');
  }

  async #events(query: URLSearchParams): Promise<Reply> {
    const { store } = this.#options;
    const search = readSearch(query);
    const [types, detailIndex] = await Promise.all([store.recentTypes(), store.hasDetailIndex()]);
    let failure: string | undefined;
    const found =
      search.problems.length > 0
        ? undefined
        : await store.list(search.filter, search.key, PAGE_SIZE).catch((error: unknown) => {
            if (!(error instanceof DjrError)) throw error;
            failure = `${error.message} ${error.hint ?? ''}`;
            return undefined;
          });
    const status = search.problems.length > 0 ? 400 : found ? 200 : 503;
    const online = found && (await this.#online(search.filter));
    const body = eventsBody({ root: this.#root, search, found, failure, types, detailIndex, online });
    return page({ root: this.#root, title: 'Events', section: 'events', body, status });
  }

  async #event(id: string): Promise<Reply> {
    const event = await this.#options.store.find(id);
    if (!event) return this.#error(404, `There is no event ${id}.`, 'It was rolled back, pruned, or never stored.');
    const { scope, user_id, topic } = event;
    const asked = { user: scope === 'user' ? (user_id ?? undefined) : undefined, topic: topic ?? undefined };
    const online = await this.#online(asked);
    const title = `${titleOf(event)} ${id}`;
    return page({ root: this.#root, title, section: 'events', body: eventBody(this.#root, event, online) });
  }

  /** Who is connected now, for one user or one topic; undefined: the search names neither, or the option `presence` is off. */
  async #online({
    user,
    topic,
  }: {
    user?: string | undefined;
    topic?: string | undefined;
  }): Promise<Online | undefined> {
    const one = (text: string | undefined) => (text?.endsWith('*') ? undefined : text);
    const asked = { user: one(user), topic: one(topic) };
    if (!this.#options.presence || (asked.user === undefined && asked.topic === undefined)) return undefined;
    return this.#options.store.online(asked);
  }

  async #privateData(id: string, { address }: Incoming): Promise<Reply> {
    const data = await this.#options.store.privateData(id);
    if (data !== undefined) this.#options.logger.info({ event: id, address }, 'the private data of an event was shown');
    const body = privateBody(this.#root, id, data);
    return page({ root: this.#root, title: `Private data of ${id}`, section: 'events', body });
  }

  async #confirm(query: URLSearchParams, incoming: Incoming): Promise<Reply> {
    const ids = readIds(query.getAll('id'), isId);
    if (typeof ids === 'string') return this.#error(400, ids, 'Go back, and choose events in the list.');
    const found = await this.#options.store.findAll(ids);
    const there = new Set(found.map(({ id }) => id));
    const gone = ids.filter((id) => !there.has(id));
    const orders = found.filter(isOrder).map(({ id }) => id);
    const events = found.filter((event) => !isOrder(event));
    if (events.length === 0 && orders.length > 0) return this.#error(400, NO_ORDERS);
    if (events.length === 0) return this.#error(404, 'None of these events is there any more.');
    const { token, cookies } = await this.#csrf.issue(incoming);
    const body = confirmBody(this.#root, events, { gone, orders }, token);
    return { ...page({ root: this.#root, title: 'Replay', section: 'events', body }), cookies };
  }

  async #replay(incoming: Incoming): Promise<Reply> {
    const form = await readForm(incoming);
    if (form === 'too large') return this.#error(413, 'The form is too large.');
    if (form === 'unreadable') return this.#error(400, 'The form cannot be read.');
    const refusal = await this.#csrf.refusal(incoming, form.get('token') ?? null);
    if (refusal) return this.#error(403, refusal, 'Go back to the event, and choose Replay again.');
    const ids = readIds((form.get('ids') ?? '').split(','), isId);
    if (typeof ids === 'string') return this.#error(400, ids);
    const { logger, store } = this.#options;
    if ((await store.findAll(ids)).some(isOrder)) return this.#error(400, NO_ORDERS);
    const replayed = await store.replay(ids);
    logger.info({ events: ids, replayed, address: incoming.address }, 'events were replayed in the admin');
    // A redirect, so that loading the page again does not replay again.
    const location = `${this.#root}replay/?done=${replayed.join(',')}`;
    return { status: 303, headers: { Location: location, ...PERSONAL_HEADERS }, body: '' };
  }

  async #done(query: URLSearchParams): Promise<Reply> {
    const ids = readIds((query.get('done') ?? '').split(','), isId);
    if (typeof ids === 'string') return this.#error(400, ids);
    const body = doneBody(this.#root, await this.#options.store.findAll(ids));
    return page({ root: this.#root, title: 'Replayed', section: 'events', body });
  }

  async #overview(): Promise<Reply> {
    const { store, series, instance, health } = this.#options;
    const reading = this.#options.ready().then(() => store.overview());
    const stored = await within(OVERVIEW_PATIENCE, reading).catch((err: unknown) => {
      this.#onceLog.say('warn', { err }, 'the overview could not read instances and settings');
      return undefined;
    });
    if (stored) this.#onceLog.end('the overview reads instances and settings again');
    const body = overviewBody({
      root: this.#root,
      instance,
      samples: series.samples,
      health: health(),
      stored,
    });
    return page({ root: this.#root, title: 'Overview', section: 'overview', body });
  }

  #failed(err: unknown): Reply {
    if (err instanceof DjrError) {
      const status = err.code === 'DJR07' ? 404 : err.code === 'DJR_BUSY' || err.code === 'DJR_SLOW' ? 503 : 400;
      return this.#error(status, sentence(err.message), err.hint);
    }
    if (isUnreachable(err)) {
      const hint = 'Try again in a moment. The overview says how this instance is.';
      return this.#error(503, 'PostgreSQL cannot be reached.', hint, { 'Retry-After': '5' });
    }
    this.#options.logger.error({ err }, 'a page of the admin failed');
    return this.#error(500, 'The page could not be made.', 'The log of this instance says why.');
  }

  #error(status: number, message: string, hint?: string, headers?: Record<string, string>): Reply {
    return errorPage(this.#root, status, message, hint, headers);
  }

  /** Ends the live views. */
  stop(): void {
    this.#live.stop();
  }
}

const isOrder = ({ scope }: EventSummary): boolean => scope === 'control';

const NO_ORDERS = 'Orders of djr itself are not replayed.';

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.?$/, '.')}`;
