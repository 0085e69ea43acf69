import pg from 'pg';
import { pause } from './random.js';
import type { Reader } from './reader.js';
import { isEntitled, rooms } from './verdict.js';
import type { Ledger } from './writer.js';

/** The type of events without a row: who reads looks at them apart. */
export const PASSING = 'typing';

/** What a publisher sends that stores nothing. */
export const PASS = {
  user: `select djr.publish($2::text, '${PASSING}', jsonb_build_object('n', $1::int), store => false) as id`,
  topic: `select djr.publish_topic($2::text, '${PASSING}', jsonb_build_object('n', $1::int), store => false) as id`,
  public: `select djr.publish_public('${PASSING}', jsonb_build_object('n', $1::int), store => false) as id, $2::text`,
};

/**
 * What must not be with events that have no row, whatever was lost of them: that one reaches whom it is not for, or though it was
 * rolled back, or on one connection twice, or before one that its writer published earlier.
 *
 * @param once - false: beside a relay, whose sources may each append an event while one takes over from the other
 */
export function judgePassing(readers: readonly Reader[], ledger: Ledger, once: boolean): string[] {
  const faults: string[] = [];
  for (const { name, passing, user } of readers) {
    for (const connection of passing) {
      const last = new Map<unknown, number>();
      for (const n of connection) {
        const what = `number ${n} without a row to ${name}`;
        if (Number.isNaN(ledger.committedAt(n))) faults.push(`${what}: it was not committed`);
        else if (!isEntitled(user, ledger.audience(n))) faults.push(`${what}: it is not for them`);
        if (!once) continue;
        const writer = ledger.writerOf(n);
        const before = last.get(writer) ?? -1;
        if (before >= n) faults.push(`${what}: after ${before} of the same writer`);
        last.set(writer, n);
      }
    }
  }
  return faults;
}

/** How often is looked whether all of it has come, and for how long. */
const LOOK = 100;
const PATIENCE = 60_000;

/**
 * In calm nothing is lost of what was not dropped: publishes for every user, room and for everybody, and waits for it.
 *
 * @returns what did not come
 */
export async function passInCalm(
  url: string,
  readers: readonly Reader[],
  users: readonly string[],
  ledger: Ledger,
): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  const sent: number[] = [];
  const pass = async (how: keyof typeof PASS, to: string) => {
    const [user, topic] = [how === 'user' ? to : null, how === 'topic' ? to : null];
    const n = ledger.take(how, user, topic, client);
    ledger.commits([n]);
    const { rows } = await client.query<{ id: string | null }>(PASS[how], [n, to]);
    if (rows[0]!.id !== null) sent.push(n);
  };
  for (const user of users) await pass('user', user);
  for (const room of rooms) await pass('topic', room);
  await pass('public', '');
  await client.end();
  const lacking = () =>
    readers.flatMap(({ name, passing, user }) => {
      const got = new Set(passing.flat());
      return sent
        .filter((n) => isEntitled(user, ledger.audience(n)) && !got.has(n))
        .map((n) => `number ${n} without a row, published in calm, to ${name}`);
    });
  for (let waited = 0; waited < PATIENCE && lacking().length > 0; waited += LOOK) await pause(LOOK);
  return lacking();
}
