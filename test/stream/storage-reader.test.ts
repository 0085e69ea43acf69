import test from 'ava';
import { EVERYBODY, topicAudience } from '../../src/event/audience.js';
import type { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { packPosition } from '../../src/event/position.js';
import { ResumeId } from '../../src/stream/resume/resume-id.js';
import type { ResumeProgress, Wanted } from '../../src/stream/resume/source.js';
import { openClient } from '../clients/open-client.js';
import { at, event, events, openReader, progress } from './simulated-storage.js';

const ROOM = topicAudience('room:7');

test('What is read in pages is sent, but for what the client has and what onReceive stops', async (t) => {
  const from: (ResumeProgress | undefined)[] = [];
  const wanted: Wanted[] = [];
  for (const later of [false, true]) {
    const client = openClient();
    const receive = (envelope: Envelope) => (envelope.id === 22 ? null : envelope);
    const { read } = openReader({
      receive: later ? async (envelope) => receive(envelope) : receive,
      async readSince(since, asked, before, onBatch) {
        t.is(since.xmax, 20);
        wanted.push(asked);
        from.push(before);
        const page = before ? events(24, 25) : events(21, 23);
        t.is(await onBatch(page), page.length);
        return progress(page.at(-1)!.id, before !== undefined);
      },
    });
    const result = await read(client, at(20), ({ envelope }) => envelope.id !== 24);
    t.deepEqual(result, { frontier: at(50), before: 7 });
    t.deepEqual(client.written, [21, 23, 25]);
    t.true(wanted.splice(0).every((one) => one === client.client));
  }
  t.deepEqual(
    from.map((one) => one?.last.id),
    [undefined, 23, undefined, 23],
  );
});

test('More events than the limit are a reset; as many are not', async (t) => {
  for (const [count, expected] of [
    [5, { frontier: at(50), before: 7 }],
    [6, { reset: 'more than 5 events were missed' }],
  ] as const) {
    const taken: number[] = [];
    const { read } = openReader({
      limit: 5,
      async readSince(_since, _wanted, _from, onBatch) {
        taken.push(await onBatch(events(21, 20 + count)));
        return progress(30, true);
      },
    });
    const client = openClient();
    t.deepEqual(await read(client), expected);
    t.deepEqual(taken, [count === 5 ? 5 : 0]);
    t.is(client.written.length, count === 5 ? 5 : 0);
  }
});

test('Why storage has nothing is passed on', async (t) => {
  const { read } = openReader({ readSince: async () => ({ reset: 'pruned' }) });
  t.deepEqual(await read(), { reset: 'pruned' });
});

test('A client that does not read is waited for without a connection to the database, and gets the rest then', async (t) => {
  const client = openClient();
  const taken: number[] = [];
  let reading = 0;
  const { read } = openReader({
    async readSince(_since, _wanted, from, onBatch) {
      reading += 1;
      client.state.waits = reading === 1;
      const all = events(21, 200);
      const page = all.slice(from ? from.last.id - 20 : 0);
      const took = await onBatch(page);
      taken.push(took);
      reading -= 1;
      return progress((from?.last.id ?? 20) + took, took === page.length);
    },
    limit: 1000,
  });
  const all = read(client);
  for (let n = 0; n < 10; n += 1) await new Promise(setImmediate);
  t.is(reading, 0);
  t.deepEqual(taken.length, 1);
  while (client.written.length < 180) {
    client.state.waits = false;
    client.connection.buffered = 0;
    client.connection.onDrain?.();
    await new Promise(setImmediate);
  }
  await all;
  t.deepEqual(
    client.written,
    Array.from({ length: 180 }, (_, n) => 21 + n),
  );
});

test('A client that is gone meanwhile ends the reading', async (t) => {
  const client = openClient();
  let pages = 0;
  const { read } = openReader({
    async readSince() {
      pages += 1;
      client.client.close('client');
      return progress(0, false);
    },
  });
  await read(client);
  t.is(pages, 1);
});

test('One audience is read by itself; where that cannot be, the client is told, and its stream goes on', async (t) => {
  for (const [count, reset] of [
    [2, undefined],
    [3, 'more than 2 events were missed'],
  ] as const) {
    const client = openClient({ audiences: [EVERYBODY, ROOM] });
    let text = '';
    const { write } = client.connection;
    client.connection.write = (chunk) => {
      text += chunk;
      return write(chunk);
    };
    const asked: Wanted[] = [];
    const { reader, history } = openReader({
      limit: 2,
      async readSince(_since, wanted, _from, onBatch) {
        asked.push(wanted);
        const page = events(21, 20 + count).map(({ id }) => event(id, 'room:7'));
        t.is(await onBatch(page), reset ? 0 : page.length);
        return progress(30, true);
      },
    });
    history.push(new Item(9, event(22, 'room:7'), 'p'));
    const sequences: number[] = [];
    const id = new ResumeId(packPosition('0', 0, at(20)), at(20));
    await reader.readAudience(client.client, ROOM, at(20), id, ({ sequence, envelope }) => {
      sequences.push(sequence);
      return envelope.id !== 21;
    });
    t.deepEqual(asked, [{ audiences: [ROOM], types: null }]);
    t.deepEqual(sequences.slice(0, 2), [0, 9], 'the caller decides by the place in history');
    t.deepEqual(client.written.slice(0, 1), [22]);
    t.is(/"type":"reset","reason":"([^"]*)"/.exec(text)?.[1], reset);
    t.is(text.includes('reset'), reset !== undefined);
    t.false(client.client.closed);
  }
});
