import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import type { Item } from '../../src/event/item.js';
import { packPosition } from '../../src/event/position.js';
import { History } from '../../src/stream/history.js';
import type { Need, Recent } from '../../src/stream/resume/backlog.js';
import { ResumeId } from '../../src/stream/resume/resume-id.js';
import { Sender } from '../../src/stream/resume/sender.js';
import type { ResumeProgress } from '../../src/stream/resume/source.js';
import { StorageReader, type StorageReaderOptions } from '../../src/stream/resume/storage-reader.js';
import { openClient } from '../clients/open-client.js';

/** Everything below this transaction. */
export const at = (xmax: number) => new Frontier('e', 1000, xmax, xmax, []);
/** An event for everybody, or of a topic. */
export const event = (id: number, topic: string | null = null): Envelope =>
  new Envelope(id, id, topic === null ? 'public' : 'topic', null, 'note', 900, '{}', topic);
/** Events for everybody, from a number to another. */
export const events = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => event(first + n));
/** A page that ends with this event. */
export const progress = (id: number, done: boolean): ResumeProgress => ({
  frontier: at(50),
  last: { xid: id, id },
  done,
});

type ReadSince = StorageReaderOptions['source']['readSince'];

/** A reader whose storage is the test. */
export function openReader({
  readSince = async () => progress(0, true),
  readRecent = () => Promise.reject(new Error('there is no crowd')),
  receive = (envelope: Envelope) => envelope as Envelope | null | Promise<Envelope | null>,
  limit = 100,
}: {
  readSince?: ReadSince;
  readRecent?: (need: Need) => Promise<Recent>;
  receive?: (envelope: Envelope) => Envelope | null | Promise<Envelope | null>;
  limit?: number;
} = {}) {
  const history = new History(1000, 1_000_000);
  history.startAt(10, 7);
  const reader = new StorageReader({
    source: { readSince, readRecent },
    history,
    hooks: { receive },
    sender: new Sender(),
    limit,
  });
  const read = (client = openClient(), since = at(20), lacks: (item: Item) => boolean = () => true) =>
    reader.read(client.client, since, new ResumeId(packPosition('0', 0, since), since), lacks);
  return { reader, read, history };
}
