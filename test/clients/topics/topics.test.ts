import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { TestDatabase } from '../../helpers/database.js';
import { startApp, until } from '../../helpers/server.js';
import type { Stream } from '../../helpers/stream.js';

const seal = async (db: TestDatabase, call: string): Promise<string> =>
  encodeURIComponent((await db.query<{ seal: string }>(`select ${call} as seal`))[0]!.seal);

/** The room in which only u is. */
const MEMBERS = `
  create table member (user_id text, topic text);
  insert into member values ('u', 'room:7');
  create function may_hear(user_id text, topic text) returns boolean stable language sql as
    'select exists (select from member m where m.user_id = $1 and m.topic = $2)';
  select djr.configure(authorize_topic => 'public.may_hear')`;

test('Nobody hears a topic without a seal or a permission; the stream is open all the same and says what it refused', async (t) => {
  const { db, stream, streamOf } = await startApp(t);
  const anonymous = await stream('?topic=room:7');
  const user = await streamOf('u', '?topic=room:7&topic=room:8');
  t.deepEqual(anonymous.frames[0]!.data.refused, ['room:7']);
  t.deepEqual(user.frames[0]!.data, {
    type: 'connected',
    topics: [],
    refused: ['room:7', 'room:8'],
    reasons: { 'room:7': 'no seal, and no permission', 'room:8': 'no seal, and no permission' },
  });
  await db.query(`select djr.publish_topic('room:7', 'secret'), djr.publish_global('end')`);
  await Promise.all([anonymous.event('end'), user.event('end')]);
  t.deepEqual([anonymous.types, user.types], [['end'], ['end']]);
});

test('A seal opens its topic to its user, and to nobody else; a stream that asks for no topic hears none', async (t) => {
  const { db, streamOf, stream } = await startApp(t);
  const own = await seal(db, `djr.seal('room:7', 'u')`);
  const open = await seal(db, `djr.seal('room:8')`);
  const heard = await streamOf('u', `?topic=room:7&topic=room:8&seal=${own}&seal=${open}`);
  const other = await streamOf('v', `?topic=room:7&topic=room:8&seal=${own}&seal=${open}`);
  const anonymous = await stream(`?topic=room:7&seal=${own}`);
  const without = await streamOf('u', `?seal=${own}`);
  t.deepEqual(heard.frames[0]!.data.topics, ['room:7', 'room:8']);
  t.deepEqual(other.frames[0]!.data.topics, ['room:8']);
  t.deepEqual(other.frames[0]!.data.reasons, { 'room:7': 'the seal is for another user' });
  t.deepEqual(anonymous.frames[0]!.data.topics, []);
  t.deepEqual(without.frames[0]!.data, { type: 'connected' });
  const { 'room:7': seconds } = heard.frames[0]!.data.expires as Record<string, number>;
  t.true(seconds! > 3500 && seconds! <= 3600);
  await db.query(
    `select djr.publish_topic('room:7', 'seven', '{"n": 1}'), djr.publish_topic('room:8', 'eight'), djr.publish_global('end')`,
  );
  await Promise.all([heard, other, anonymous, without].map((each) => each.event('end')));
  t.deepEqual(heard.types, ['seven', 'eight', 'end']);
  t.deepEqual(other.types, ['eight', 'end']);
  t.deepEqual(anonymous.types, ['end']);
  t.deepEqual(without.types, ['end']);
  t.deepEqual(heard.events[0]!.data, { n: 1, ':topic': 'room:7', type: 'seven' });
});

test('One seal opens a hundred topics with long names, and not one that it does not name', async (t) => {
  const { db, streamOf } = await startApp(t);
  const topics = Array.from({ length: 99 }, () => `document:${randomUUID()}`);
  const [row] = await db.query<{ seal: string }>(`select djr.seal($1::text[], 'u') as seal`, [topics]);
  const query = new URLSearchParams([
    ...topics.map((topic) => ['topic', topic]),
    ['topic', 'room:7'],
    ['seal', row!.seal],
  ]);
  const stream = await streamOf('u', `?${query}`);
  t.deepEqual(stream.frames[0]!.data.topics, topics);
  t.deepEqual(stream.frames[0]!.data.refused, ['room:7']);
  const other = await streamOf('v', `?${query}`);
  t.deepEqual(other.frames[0]!.data.topics, []);
  // A right that is taken for one of them leaves the others as they are.
  await db.query(`select djr.recheck('u', $1)`, [topics[0]]);
  t.is((await stream.event('left')).data.topic, topics[0]);
  const again = await streamOf('u', `?${query}`);
  t.deepEqual(again.frames[0]!.data.topics, topics.slice(1));
  t.deepEqual(again.frames[0]!.data.refused, [topics[0], 'room:7']);
});

test('Seals that are forged, cut, swapped, expired, or signed with a key that is no longer valid open nothing', async (t) => {
  const { db, streamOf } = await startApp(t);
  const text = decodeURIComponent(await seal(db, `djr.seal('room:7', 'u')`));
  const [version, key, content, signature] = text.split('.') as [string, string, string, string];
  const [, , , other] = decodeURIComponent(await seal(db, `djr.seal('room:8', 'u')`)).split('.');
  const forged = Buffer.from(JSON.stringify(['room:7', 'u', 9999999999, '1:9999999:'])).toString('base64url');
  const last = signature.at(-1)!;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = alphabet[alphabet.indexOf(last) ^ 1]!;
  const broken = [
    '',
    'djr1',
    text.slice(0, -1),
    `${text}A`,
    `${version}.${key}.${content}`,
    `${version}.${key}.${forged}.${signature}`,
    `${version}.${key}.${content}.${other}`,
    `${version}.00000000.${content}.${signature}`,
    `djr2.${key}.${content}.${signature}`,
    // The same bytes to a decoder that ignores the last bits.
    `${text.slice(0, -1)}${twin}`,
    text.toUpperCase(),
    'x'.repeat(5000),
  ];
  for (const seal of broken) {
    const stream = await streamOf('u', `?topic=room:7&seal=${encodeURIComponent(seal)}`);
    t.deepEqual(stream.frames[0]!.data.refused, ['room:7'], seal.slice(0, 80));
  }
  t.deepEqual((await streamOf('u', `?topic=room:7&seal=${text}`)).frames[0]!.data.topics, ['room:7']);
  const expired = await seal(db, `djr.seal('room:7', 'u', '1 microsecond')`);
  const late = await streamOf('u', `?topic=room:7&seal=${expired}`);
  t.deepEqual(late.frames[0]!.data.reasons, { 'room:7': 'the seal has expired' });
});

test('A key that is rotated once still opens; rotated twice it does not, on an instance that has not read it before', async (t) => {
  const app = await startApp(t);
  const { db } = app;
  const old = await seal(db, `djr.seal('room:7', 'u')`);
  await db.query('select djr.configure(rotate_seal_key => true)');
  t.deepEqual((await app.streamOf('u', `?topic=room:7&seal=${old}`)).frames[0]!.data.topics, ['room:7']);
  const young = await seal(db, `djr.seal('room:7', 'u')`);
  t.deepEqual((await app.streamOf('u', `?topic=room:7&seal=${young}`)).frames[0]!.data.topics, ['room:7']);
  await db.query('select djr.configure(rotate_seal_key => true)');
  const { streamOf } = await startApp(t, {}, db);
  t.deepEqual((await streamOf('u', `?topic=room:7&seal=${old}`)).frames[0]!.data.refused, ['room:7']);
  t.deepEqual((await streamOf('u', `?topic=room:7&seal=${young}`)).frames[0]!.data.topics, ['room:7']);
});

test('The function of authorize_topic decides for pages that ask by name', async (t) => {
  const { db, streamOf, stream } = await startApp(t);
  await db.query(MEMBERS);
  t.deepEqual((await streamOf('u', '?topic=room:7&topic=room:8')).frames[0]!.data.topics, ['room:7']);
  t.deepEqual((await streamOf('v', '?topic=room:7')).frames[0]!.data.topics, []);
  t.deepEqual((await stream('?topic=room:7')).frames[0]!.data.topics, []);
});

test('Hundreds of pages that join at once are a handful of statements, and each has its own answer', async (t) => {
  const { db, realtime, streamOf } = await startApp(t, { hookTimeout: 60_000 });
  // Each statement leaves its transaction; none is answered while the test holds the lock.
  await db.query(`
    create table asked (xid xid8);
    create function may_hear(user_id text, topic text) returns boolean language plpgsql as $$
    begin
      perform pg_advisory_xact_lock_shared(1);
      insert into asked values (pg_current_xact_id());
      return topic = 'of:' || user_id;
    end $$;
    select djr.configure(authorize_topic => 'public.may_hear')`);
  const holder = await db.connect();
  await holder.query('select pg_advisory_lock(1)');
  const users = Array.from({ length: 300 }, (_, n) => `u${n}`);
  const opening = users.map((user) => streamOf(user, `?topic=of:${user}&topic=of:all`));
  await until('all have asked', async () => /^djr_places 300$/m.test(await realtime.metrics()));
  await holder.query('select pg_advisory_unlock(1)');
  for (const [n, { frames }] of (await Promise.all(opening)).entries()) {
    t.deepEqual(frames[0]!.data.topics, [`of:u${n}`]);
    t.deepEqual(frames[0]!.data.refused, ['of:all']);
  }
  const [row] = await db.query<{ asked: number; statements: number }>(
    'select count(*)::int as asked, count(distinct xid)::int as statements from asked',
  );
  t.is(row!.asked, 600);
  // Four run at a time, and what comes meanwhile goes together, 500 at most.
  t.true(row!.statements <= 10, `${row!.statements} statements`);
});

test('The option authorizeTopic decides; an error, no boolean and no answer in time are no', async (t) => {
  const answers: Record<string, unknown> = { yes: true, truthy: 1, no: false, never: new Promise(() => {}) };
  const { lines, streamOf } = await startApp(t, {
    hookTimeout: 200,
    authorizeTopic: (_, topic) => {
      if (topic === 'throws') throw new Error('no such room');
      return answers[topic] as boolean;
    },
  });
  const { frames } = await streamOf('u', '?topic=yes&topic=truthy&topic=no&topic=never&topic=throws');
  t.deepEqual(frames[0]!.data.topics, ['yes']);
  // PostgreSQL is asked as well, and on a busy machine may not answer in that time either.
  const failures = lines.filter(({ message }) => message.includes('could not be decided'));
  const reasons = failures.map(({ context }) => (context.err as Error).message);
  t.deepEqual(reasons.filter((reason) => !reason.startsWith('PostgreSQL')).sort(), [
    'no answer within 200 ms (hookTimeout)',
    'no such room',
  ]);
});

test('recheck takes a topic from who may no longer hear it, and voids seals made before it', async (t) => {
  const { db, streamOf } = await startApp(t);
  await db.query(MEMBERS);
  const sealed = await seal(db, `djr.seal('room:7', 'u')`);
  const byName = await streamOf('u', '?topic=room:7');
  const bySeal = await streamOf('u', `?topic=room:7&seal=${sealed}`);
  const client = await db.connect();
  await client.query(`begin; delete from member; select djr.recheck('u', 'room:7'); commit`);
  for (const stream of [byName, bySeal]) {
    t.deepEqual((await stream.event('left')).data, {
      type: 'left',
      topic: 'room:7',
      reason: 'the permission was taken back',
    });
  }
  await db.query(`select djr.publish_topic('room:7', 'secret'), djr.publish('u', 'end')`);
  await Promise.all([byName.event('end'), bySeal.event('end')]);
  t.deepEqual([byName.types, bySeal.types], [['end'], ['end']]);
  const again = await streamOf('u', `?topic=room:7&seal=${sealed}`, { lastEventId: byName.lastEventId });
  t.deepEqual(again.frames[0]!.data.reasons, { 'room:7': 'the seal was made before the permission was taken back' });
  const young = await seal(db, `djr.seal('room:7', 'u')`);
  t.deepEqual((await streamOf('u', `?topic=room:7&seal=${young}`)).frames[0]!.data.topics, ['room:7']);
});

test('A seal of which the reading was rolled back stays void for as long as it is valid', async (t) => {
  const { db, streamOf } = await startApp(t);
  const page = await db.connect();
  await page.query('begin');
  const { rows } = await page.query<{ seal: string }>(`select djr.seal('room:7', 'u', '1 day') as seal`);
  await page.query('rollback');
  await db.query(`select djr.recheck('u', 'room:7'); update djr.revocation set created_at = created_at - interval '23 hours';
    select djr.recheck('v', 'room:7')`);
  const stream = await streamOf('u', `?topic=room:7&seal=${encodeURIComponent(rows[0]!.seal)}`);
  t.deepEqual(stream.frames[0]!.data.refused, ['room:7']);
});

test('A client whose seal ends stays connected, hears the topic no more and is told so', async (t) => {
  const { db, streamOf } = await startApp(t);
  const short = await seal(db, `djr.seal('room:7', 'u', '5 seconds')`);
  const stream = await streamOf('u', `?topic=room:7&seal=${short}`);
  t.deepEqual((await stream.event('left')).data, { type: 'left', topic: 'room:7', reason: 'the seal has expired' });
  await db.query(`select djr.publish_topic('room:7', 'secret'), djr.publish('u', 'end')`);
  await stream.event('end');
  t.deepEqual(stream.types, ['end']);
});

test('disconnect ends the streams of a user on every instance, and of nobody else', async (t) => {
  const first = await startApp(t);
  const second = await startApp(t, {}, first.db);
  const own = [await first.streamOf('u'), await second.streamOf('u')];
  const others = [await first.streamOf('v'), await second.stream()];
  await first.db.query(`select djr.disconnect('u', 'logged out')`);
  for (const stream of own) {
    t.deepEqual((await stream.event('disconnected')).data, { type: 'disconnected', reason: 'logged out' });
    await stream.end();
  }
  await first.db.query(`select djr.publish_global('end')`);
  for (const stream of others) {
    await stream.event('end');
    t.false(stream.ended);
  }
});

for (const delivery of ['auto', 'notify', 'sweep']) {
  for (const storage of [true, false]) {
    test(`Orders are carried out with delivery ${delivery} and storage ${storage ? 'on' : 'off'}, also where LISTEN was lost meanwhile`, async (t) => {
      const { db, streamOf } = await startApp(t);
      await db.query(MEMBERS);
      await db.query('select djr.configure(delivery => $1, storage => $2)', [delivery, storage]);
      const [member, leaver, unheard] = [
        await streamOf('u', '?topic=room:7'),
        await streamOf('v'),
        await streamOf('w'),
      ];
      t.deepEqual(member.frames[0]!.data.topics, ['room:7']);
      await db.query('delete from member');
      await db.query(`select djr.disconnect('v'), djr.recheck('u')`);
      t.is((await member.event('left')).data.topic, 'room:7');
      await leaver.end();
      // In one transaction, so that the instance cannot listen again before the order is there.
      const client = await db.connect();
      await client.query(`
        begin;
        select djr.disconnect('w');
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'djr' and pid <> pg_backend_pid();
        commit`);
      await unheard.end();
      t.false(member.ended);
    });
  }
}

test('A client that is disconnected while its login is being looked at is asked again who it is', async (t) => {
  const open: Stream[] = [];
  let member = true;
  const { db, stream } = await startApp(t, {
    authenticate: async () => {
      if (!member) throw new Error('no session');
      if (open.length > 0) {
        member = false;
        await db.query(`select djr.disconnect('u')`);
        await open[0]!.end();
      }
      return 'u';
    },
  });
  open.push(await stream());
  const second = await stream('', { early: true });
  await second.until('the answer', () => second.status !== 0);
  t.is(second.status, 401);
});
