import { ActivityCounter } from '../activity/counter.js';
import { ActivityWriter } from '../activity/writer.js';
import { Hub } from '../clients/hub.js';
import { Presence } from '../clients/topics/presence.js';
import { Topics } from '../clients/topics/topics.js';
import { Consumers } from '../consume/consumers.js';
import { Acknowledgements } from '../http/endpoints/acknowledgements.js';
import { SCRIPTS } from '../http/endpoints/assets.js';
import { HealthEndpoint } from '../http/endpoints/health.js';
import { LazyEndpoint } from '../http/endpoints/lazy.js';
import { MetricsEndpoint } from '../http/endpoints/metrics.js';
import { Streams } from '../http/endpoints/stream.js';
import { Senders } from '../http/guards/senders.js';
import { Router } from '../http/router.js';
import { Lag } from '../instance/lag.js';
import { InstanceReporter } from '../instance/reporter.js';
import type { ResolvedOptions } from '../options.js';
import type { Database } from '../postgres/database.js';
import type { Source } from '../source/source.js';
import { Delivery } from '../stream/delivery.js';
import { History } from '../stream/history.js';
import { Hooks } from '../stream/hooks.js';
import { Resume } from '../stream/resume/resume.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { LifeCycle } from './life-cycle.js';

export interface StagesOptions {
  options: ResolvedOptions;
  /** The name of this instance. */
  instance: string;
  source: Source;
  database: Database;
  life: LifeCycle;
}

/** The stages that the public surface uses. */
export interface Stages {
  readonly consumers: Consumers;
  readonly hooks: Hooks;
  readonly router: Router;
  readonly telemetry: Telemetry;
}

/** Events, and with `full` users of events, whose activity may wait for the database; they take some 10 MB. */
const MAX_ACTIVITY = 50_000;

/** Milliseconds beyond the longest `retry` that a page may take to reconnect before its user counts as gone. */
const PRESENCE_GRACE = 2000;

/**
 * Builds the stages of an instance and connects them, in the order of an event's way: source, delivery, hub, clients, and then the stages
 * that record and report. A new stage is built here and entered in the lists, by which it is started, stopped and measured.
 */
export function buildStages({ options, instance, source, database, life }: StagesOptions): Stages {
  const { logger } = options;
  const activity = new ActivityCounter(MAX_ACTIVITY);
  const hooks = new Hooks({ ...options, timeout: options.hookTimeout, activity });
  const history = new History(options.historyEvents, options.historyBytes);
  const hub = new Hub({ ...options, position: () => source.position, activity });
  const presence = options.presence
    ? new Presence({ store: source.presence, hub, logger, grace: options.retry * 1.5 + PRESENCE_GRACE })
    : undefined;
  const topics = new Topics({
    store: source.topics,
    hub,
    presence,
    authorizeTopic: options.authorizeTopic,
    timeout: options.hookTimeout,
    logger,
    time: () => source.time,
  });
  const lag = new Lag();
  const consumers = new Consumers({ database, source, logger, grace: options.shutdownGrace });
  const delivery = new Delivery({
    order: source,
    history,
    hooks,
    hub,
    topics,
    presence,
    consumers,
    activity,
    lag,
    logger,
  });
  const resume = new Resume({ history, hub, source, hooks, limit: options.resumeLimit });
  const streams = new Streams({ options, hub, hooks, resume, activity, topics, logger, source, life });
  const writer = new ActivityWriter({ counter: activity, logger, source });
  const reporter = new InstanceReporter({ source, logger, telemetry: { read: (usage) => telemetry.read(usage) } });

  const telemetry = new Telemetry({
    stages: [
      source,
      life.openFiles,
      hub,
      hooks,
      history,
      streams,
      topics,
      delivery,
      resume,
      lag,
      consumers,
      writer,
      reporter,
    ],
    life,
    source,
    delivery,
    hub,
    hooks,
    lag,
    nodeMetrics: options.nodeMetrics,
  });
  const admin = adminOf({ options, instance, database, life, hooks, telemetry });
  life.own({
    downstream: delivery,
    stages: [telemetry, reporter, ...(presence ? [presence] : []), consumers],
    recorders: [writer],
    fronts: [streams, ...admin],
  });

  const { hookTimeout } = options;
  const router = new Router({
    basePath: options.basePath,
    logger,
    senders: new Senders(options),
    endpoints: [
      streams,
      new Acknowledgements({ options, logger, life, source }),
      ...SCRIPTS,
      new HealthEndpoint({ access: options.health, hookTimeout, logger, health: () => telemetry.health() }),
      new MetricsEndpoint({
        authorize: options.metrics?.authorize,
        hookTimeout,
        logger,
        registry: telemetry.registry,
      }),
      ...admin,
    ],
  });
  return { consumers, hooks, router, telemetry };
}

interface AdminParts extends Pick<StagesOptions, 'options' | 'instance' | 'database' | 'life'> {
  hooks: Hooks;
  telemetry: Telemetry;
}

/** The admin's endpoint, if the app has the option `admin`. */
function adminOf({ options, instance, database, life, hooks, telemetry }: AdminParts): LazyEndpoint[] {
  const { authorize } = options.admin ?? {};
  if (!authorize) return [];
  const load = async () => {
    const [{ Admin }, { AdminStore }] = await Promise.all([import('../admin/admin.js'), import('../admin/store.js')]);
    return new Admin({
      basePath: options.basePath,
      publicPath: options.publicPath,
      authorize,
      hookTimeout: options.hookTimeout,
      logger: options.logger,
      store: new AdminStore(() => database.pool),
      hooks,
      presence: options.presence,
      instance,
      series: telemetry.series,
      health: () => telemetry.health(),
      ready: () => life.ready(),
    });
  };
  return [new LazyEndpoint({ path: 'admin/*', methods: 'any' }, load)];
}
