import { merge, percentiles } from '../load/histogram.js';
import type { Sample } from '../metrics.js';
import { connectClients, delayMetrics, failuresOf, type Round } from './scenario.js';

/**
 * Events at a fixed rate. Delays count from the moment at which each event was due, so that
 * neither a publisher nor a server that is held up can hide the waiting it causes.
 */
export async function paced(
  round: Round,
  rate: number,
  options: { toUsers?: boolean; connections?: number } = {},
): Promise<Sample> {
  const { readers, publisher, system, clients, seconds } = round;
  const events = Math.round(rate * seconds);
  const warmup = Math.round(rate);
  const toUsers = options.toUsers === true;
  const before = await system!.remote.usage(null);
  const { topics } = round.variant;
  await connectClients(round, topics ? { topics } : {});
  const connected = await system!.remote.usage(null);
  await publisher.connect({
    url: round.databaseUrl,
    connections: options.connections ?? 1,
    statements: round.variant.statements,
  });
  await readers.expect({ events: warmup + events, warmup, toUsers, ...(topics ? { topics } : {}) });
  const published = await publisher.paced({ rate, events, warmup, toUsers: toUsers ? clients : topics });
  const received = await readers.received({ patience: 10_000 });
  const after = await system!.remote.usage(null);
  await readers.close(null);
  await publisher.close(null);

  const calls = percentiles(merge([published.calls]));
  return {
    metrics: {
      ...delayMetrics(received),
      deliveries: received.deliveries / ((received.last - received.first) / 1e6),
      call: calls.p50,
      cpu: (after.cpu - connected.cpuBehind) / received.deliveries,
      late: published.late,
      ...(clients >= 100 ? { heapEach: (connected.heap - before.heap) / clients } : {}),
    },
    delays: received.delays,
    timeline: received.timeline,
    failures: failuresOf(received),
  };
}
