import type { Finding } from '../../instance/finding.js';
import type { Meter } from '../../lib/meter.js';
import type { Engine } from '../../relay/engine.js';
import { UNREACHABLE } from '../../relay/library.js';
import type { EdgeStream } from './edge-stream.js';

/** What an edge is made of, once it has started. */
export interface EdgeParts {
  readonly engine: Engine | undefined;
  readonly stream: EdgeStream | undefined;
}

/** Milliseconds without a checkpoint after which an edge is worse than it should be. */
const OLD = 5000;

/** How the way is by which events come to an edge. Never failing: its clients would gain nothing elsewhere. */
export function findingsOf({ engine, stream }: EdgeParts): Finding[] {
  const age = stream?.follower.age ?? Number.POSITIVE_INFINITY;
  if (age < OLD) return [{ check: 'relay', state: 'ok' }];
  const time = age === Number.POSITIVE_INFINITY ? 'as long as this edge runs' : `${Math.round(age / 1000)} s`;
  const silence = `no source has written to the relay for ${time}`;
  const reason = engine ? (engine.outage ?? silence) : UNREACHABLE;
  return [{ check: 'relay', state: 'warning', reason }];
}

/** @param parts - asked whenever somebody reads */
export function measureEdge(meter: Meter, parts: () => EdgeParts): void {
  const follower = () => parts().stream?.follower;
  meter.gauge('djr_relay_checkpoint_age_seconds', 'Since the last checkpoint of the relay came', () => {
    const age = follower()?.age;
    return age === undefined || age === Number.POSITIVE_INFINITY ? undefined : age / 1000;
  });
  meter.gauge('djr_relay_connected', '1 while there is a connection to the relay', () =>
    Number(parts().engine?.connected ?? false),
  );
  meter.gauge(
    'djr_relay_audiences',
    'Audiences whose events an edge with interest own asks for',
    () => parts().stream?.audiences,
  );
  meter.counter(
    'djr_relay_holes_total',
    'Times that messages of the relay did not come by themselves',
    () => follower()?.holes,
  );
  meter.counter(
    'djr_relay_fills_total',
    'Messages of the relay that were read, as they had not come',
    () => follower()?.fills,
  );
  meter.counter('djr_relay_breaks_total', 'Times that the log of the relay was another one', () => follower()?.breaks);
  meter.counter(
    'djr_relay_unreadable_total',
    'Messages of the relay that could not be read',
    () => follower()?.unreadable,
  );
}
