import type { Sample } from '../metrics.js';
import { djr, djrTopics, httpFloor, type Variant } from '../systems/variants.js';
import { connectClients, failuresOf, type Round, type Scenario } from './scenario.js';

/** Events by which all that delivers is compiled, and those that are measured. */
const WARMUP = 100;
const EVENTS = 100;

/** Room for all that a round makes: what is in it was made since it was empty, and nothing of it has been collected. */
const ROOM = ['--min-semi-space-size=256', '--max-semi-space-size=512'];

async function run(round: Round): Promise<Sample> {
  const { clients, publisher, readers, system, variant, databaseUrl } = round;
  const { remote } = system!;
  const { topics } = variant;
  await connectClients(round, topics ? { topics } : {});
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  await readers.expect({ events: 0, warmup: 0, ...(topics ? { topics } : {}) });
  const failures: string[] = [];
  // Each waits until all have the one before: two in one turn would be one write.
  const publish = async (from: number, until: number) => {
    for (let n = from; n < until; n += 1) {
      await publisher.burst({ events: 1, together: false, from: n, ...(topics ? { toUser: 0 } : {}) });
      const received = await readers.received({ patience: 5000, events: n + 1 });
      if (n === until - 1) failures.push(...failuresOf(received));
    }
  };
  await publish(0, WARMUP);
  const before = await remote.usage(null);
  await publish(WARMUP, WARMUP + EVENTS);
  const after = await remote.usage(null);
  await readers.close(null);
  await publisher.close(null);
  if (after.collections > before.collections) failures.push('a collection took away what was to be counted');
  return { metrics: { allocated: (after.young - before.youngBehind) / (clients * EVENTS) }, failures };
}

const counted = (variant: Variant): Variant => ({ ...variant, flags: ROOM });

export const allocations: Scenario = {
  name: 'allocations',
  about:
    '1,000 clients, one event after the other: bytes of V8 heap that a delivery takes, garbage included. The same on a busy machine as on a quiet one.',
  size: { clients: 1000, seconds: 1, rounds: 1 },
  variants: [
    counted({ ...httpFloor, floor: true }),
    counted({ ...djr, name: 'to everyone' }),
    counted(djrTopics('of a topic', 1)),
  ],
  columns: ['allocated'],
  ratios: ['allocated'],
  fresh: true,
  long: true,
  run,
};
