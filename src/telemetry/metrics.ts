import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ActivityCounter } from '../activity/counter.js';
import type { Hub } from '../clients/hub.js';
import type { Topics } from '../clients/topics/topics.js';
import type { Consumers } from '../consume/consumers.js';
import type { OpenFiles } from '../lib/open-files.js';
import { VERSION } from '../lib/version.js';
import type { Database } from '../source/postgres/postgres-source.js';
import type { Feed } from '../stream/feed.js';
import type { History } from '../stream/history.js';
import type { Hooks } from '../stream/hooks.js';
import type { ResumeSourceName } from '../stream/resume/resume.js';
import { registerConsumerMetrics } from './consumer-metrics.js';

/** What the endpoint of streams counts. */
export interface StreamCounts {
  /** Streams that are open or are being opened, or whose socket is not gone yet. */
  readonly places: number;
  /** Streams that ended, by why. */
  readonly closed: Readonly<Record<string, number>>;
  /** Requests refused, by status. */
  readonly refused: Readonly<Record<string, number>>;
}

/** The stages, whose own counters are read when somebody asks: counting costs delivery nothing more. */
export interface MetricsSource {
  hub: Hub;
  feed: Feed;
  hooks: Hooks;
  history: History;
  streams: StreamCounts;
  topics: Topics;
  consumers: Consumers;
  activity: ActivityCounter;
  openFiles: OpenFiles;
  /** Undefined before the start. */
  database(): Database | undefined;
  healthy(): boolean;
  /** Adds what prom-client knows of Node itself: heap, event loop, garbage collection. */
  node: boolean;
}

/** A counter that first appears with its first count has no increase: Prometheus knows no 0 to count from. */
const STATUSES = { 400: 0, 401: 0, 403: 0, 405: 0, 429: 0, 503: 0 };
const SOURCES: ResumeSourceName[] = ['memory', 'history', 'storage', 'reset'];

const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const SWEEP_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const RESUME_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** What a metric is read from; undefined: there is no value now. */
type Read = () => number | undefined;
type ReadAll = () => Readonly<Record<string, number>> | undefined;

/** What `GET metrics` answers: Prometheus text of one instance. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #lag: Histogram;
  readonly #sweeps: Histogram;
  readonly #resumes: Histogram<'source'>;

  constructor(source: MetricsSource) {
    this.#ofClients(source);
    this.#ofTopics(source);
    this.#ofEvents(source);
    this.#ofDatabase(source.database);
    registerConsumerMetrics(this.#registry, source);
    this.#gauges('djr_build_info', 'Always 1: which version runs', 'version', () => ({ [VERSION]: 1 }));
    this.#gauge('djr_healthy', '1 while healthz answers 200', () => Number(source.healthy()));
    if (source.node) collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    this.#lag = new Histogram({
      name: 'djr_event_lag_seconds',
      help: "From an event's insert to this instance handing it on, between the database's clock and this one's",
      registers,
      buckets: LAG_BUCKETS,
    });
    this.#sweeps = new Histogram({
      name: 'djr_sweep_duration_seconds',
      help: 'How long sweeps took that succeeded',
      registers,
      buckets: SWEEP_BUCKETS,
    });
    this.#resumes = new Histogram({
      name: 'djr_resume_duration_seconds',
      help: 'From the request of a client that comes back to its stream being live, by where what it missed came from',
      registers,
      labelNames: ['source'],
      buckets: RESUME_BUCKETS,
    });
    for (const name of SOURCES) this.#resumes.zero({ source: name });
  }

  /** @param createdAt - milliseconds since 1970 */
  delivered(createdAt: number): void {
    this.#lag.observe(Math.max(0, Date.now() - createdAt) / 1000);
  }

  swept(milliseconds: number): void {
    this.#sweeps.observe(milliseconds / 1000);
  }

  resumed(source: ResumeSourceName, milliseconds: number): void {
    this.#resumes.observe({ source }, milliseconds / 1000);
  }

  /** Prometheus text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #ofClients({ hub, hooks, streams, openFiles }: MetricsSource): void {
    this.#counter(
      'djr_open_files_exhausted_total',
      'Looks, one a second, that found the process at its limit of open files: new connections are cut',
      () => openFiles.exhausted,
    );
    this.#gauge('djr_connections', 'Open streams', () => hub.size);
    this.#gauge(
      'djr_places',
      'Requests for a stream that count for the limits: let in, open, or ended and not gone yet',
      () => streams.places,
    );
    this.#gauge('djr_buffered_bytes', 'Bytes that wait for clients to read them', () => hub.buffered);
    this.#counters('djr_deliveries_total', 'Events for clients, by what became of them', 'result', () => ({
      sent: hub.delivered,
      suppressed: hooks.suppressed.beforeSend,
      failed: hooks.errors.beforeSend,
    }));
    this.#counter('djr_sent_bytes_total', 'Bytes written to streams', () => hub.bytes);
    this.#counters('djr_connections_closed_total', 'Streams that ended, by why', 'reason', () => streams.closed);
    this.#counters(
      'djr_requests_refused_total',
      'Requests for a stream that were refused, by status',
      'status',
      () => ({ ...STATUSES, ...streams.refused }),
    );
  }

  /** Never with a topic as a label: there are as many as the app makes. */
  #ofTopics({ hub, topics }: MetricsSource): void {
    this.#gauge('djr_topics', 'Topics that clients hear now', () => hub.topics);
    this.#counters(
      'djr_topics_refused_total',
      'Topics that clients asked for and may not hear, by why',
      'reason',
      () => topics.refused,
    );
    this.#counter(
      'djr_topic_authorization_failures_total',
      'Questions to the app who may hear what that failed, or had no answer in time',
      () => topics.failures,
    );
    this.#gauge('djr_presence_users', 'Users with a stream, where presence is on', () => topics.present);
  }

  #ofEvents({ feed, history, hooks }: MetricsSource): void {
    this.#counter('djr_events_total', 'Events that this instance has taken in', () => feed.taken);
    this.#counter('djr_events_suppressed_total', 'Events that onReceive stopped', () => hooks.suppressed.onReceive);
    this.#gauge('djr_feed_waiting', 'Events that wait for onReceive', () => feed.waiting);
    this.#counters('djr_hook_errors_total', 'Errors of hooks and subscribers', 'hook', () => hooks.errors);
    this.#counter(
      'djr_subscriber_dropped_total',
      'Events that a subscriber did not get, as too many waited for it',
      () => hooks.dropped,
    );
    this.#counter('djr_events_failed_total', 'Events that could not be delivered', () => feed.failures);
    this.#gauge(
      'djr_open_transactions',
      'Transactions in progress when the last sweep ran',
      () => feed.frontier?.inProgress.length,
    );
    this.#counter(
      'djr_frontiers_cut_total',
      'Sweeps at which more transactions were in progress than an id can hold: clients that go to another instance get repeats',
      () => feed.cut,
    );
    this.#counter(
      'djr_unstored_lost_total',
      'Events without a row that this instance lost, as too many waited for onReceive',
      () => feed.lost,
    );
    this.#gauge('djr_history_events', 'Recent events in memory', () => history.length);
    this.#gauge('djr_history_bytes', 'Bytes that they take, about', () => history.bytes);
  }

  #ofDatabase(database: MetricsSource['database']): void {
    this.#gauge('djr_listening', '1 while the listening connection is there', () =>
      toNumber(database()?.listener.connected),
    );
    this.#gauge('djr_listen_heard', '1 when the last probe was heard, 0 when a pooler is in the way', () =>
      toNumber(database()?.listener.heard),
    );
    this.#counter(
      'djr_reconnects_total',
      'Listening connections after the first',
      () => database()?.listener.reconnects,
    );
    this.#counter('djr_garbage_total', 'Messages on the channel that could not be read', () => database()?.garbage);
    this.#gauge(
      'djr_notify_queue_usage_ratio',
      "How full PostgreSQL's NOTIFY queue is, 0 to 1, every 5 s",
      () => database()?.reporter.queueUsage,
    );
    this.#gauge('djr_delivery_sweeping', '1 while delivery is by sweeping, 0 while it is by NOTIFY', () =>
      toNumber(database() && database()?.mode.current === 'sweep'),
    );
    this.#counter(
      'djr_delivery_switches_total',
      'Changes of how events are delivered',
      () => database()?.mode.switches,
    );
    this.#counter(
      'djr_unstored_dropped_total',
      'Events with store => false that were dropped, as too many came while delivery sweeps: of the whole database, and each instance says the same',
      () => database()?.mode.unstored.dropped,
    );
    this.#gauge('djr_sweep_age_seconds', 'Since the last sweep that succeeded', () => {
      const sweeper = database()?.sweeper;
      return sweeper && (performance.now() - sweeper.lastSuccess) / 1000;
    });
    this.#counter('djr_sweeps_total', 'Sweeps that succeeded', () => database()?.sweeper.count);
    this.#counter('djr_sweep_failures_total', 'Sweeps that failed', () => database()?.sweeper.failures);
    this.#gauges('djr_pool_connections', 'Connections of the pool, by what they do', 'state', () => {
      const pool = database()?.pool;
      const { totalCount = 0, idleCount = 0 } = pool ?? {};
      return pool && { busy: totalCount - idleCount, idle: idleCount };
    });
    this.#gauge(
      'djr_pool_waiting',
      'Queries that wait for a connection of the pool',
      () => database()?.pool.waitingCount,
    );
    this.#counter(
      'djr_pruned_total',
      'Events that this instance deleted as past the retention',
      () => database()?.pruner.pruned,
    );
    this.#ofActivity(database);
  }

  #ofActivity(database: MetricsSource['database']): void {
    this.#counter('djr_activity_rows_total', 'Rows of activity written', () => database()?.activity.rows);
    this.#counter(
      'djr_activity_dropped_total',
      'Steps of events that were not recorded: no place, or the database did not take them',
      () => database()?.activity.dropped,
    );
    this.#gauge(
      'djr_activity_waiting',
      'Events whose activity waits to be written',
      () => database()?.activity.waiting,
    );
    this.#counter(
      'djr_acknowledged_total',
      'Events that their users have acknowledged',
      () => database()?.acknowledger.acknowledged,
    );
    this.#counter(
      'djr_report_failures_total',
      'Times that the instance could not write its row of djr.instance',
      () => database()?.reporter.failures,
    );
  }

  #gauge(name: string, help: string, read: Read): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  #gauges(name: string, help: string, label: string, read: ReadAll): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      labelNames: [label],
      collect() {
        this.reset();
        for (const [key, value] of Object.entries(read() ?? {})) this.set({ [label]: key }, value);
      },
    });
  }

  #counter(name: string, help: string, read: Read): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read() ?? 0);
      },
    });
  }

  #counters(name: string, help: string, label: string, read: ReadAll): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      labelNames: [label],
      collect() {
        this.reset();
        for (const [key, value] of Object.entries(read() ?? {})) this.inc({ [label]: key }, value);
      },
    });
  }
}

const toNumber = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
