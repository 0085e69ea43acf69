import { mock } from 'node:test';
import test from 'ava';
import { Client } from '../../src/clients/client.js';
import type { CloseReason } from '../../src/clients/close-reason.js';
import type { Connection } from '../../src/clients/connection.js';
import { Keeper } from '../../src/clients/keeper.js';
import { EVERYBODY } from '../../src/event/audience.js';
import type { Pulse } from '../../src/event/frame.js';

/** A clock that the test moves. The process itself is held up where `late` passes without a timer. */
function clockOf(t: { teardown(call: () => void): void }) {
  let now = 1000;
  mock.timers.enable({ apis: ['setInterval'] });
  const method = mock.method(performance, 'now', () => now);
  t.teardown(() => {
    mock.timers.reset();
    method.mock.restore();
  });
  return {
    pass(milliseconds: number) {
      for (let left = milliseconds; left > 0; left -= 10) {
        now += 10;
        mock.timers.tick(10);
      }
    },
    late(milliseconds: number) {
      now += milliseconds;
    },
  };
}

function reader(pulse: Pulse = 'silent', onClose = () => {}) {
  const texts: string[] = [];
  const closed: CloseReason[] = [];
  const connection: Connection & { waits: boolean; progress: number } = {
    waits: false,
    write(chunk) {
      texts.push(chunk.toString());
      return !connection.waits;
    },
    buffered: 0,
    progress: 0,
    end() {},
    destroy() {},
    onDrain: undefined,
  };
  const client = new Client({
    userId: null,
    audiences: [EVERYBODY],
    connection,
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    pulse,
    maxBytes: 1000,
    beforeSend: undefined,
    onSent() {},
    onClose(_, reason) {
      closed.push(reason);
      onClose();
    },
  });
  client.live = true;
  client.lastWrite = Math.floor(performance.now());
  return { client, connection, texts, closed };
}

const keep = (t: { teardown(call: () => void): void }, ...readers: { client: Client }[]) => {
  const keeper = new Keeper(
    { heartbeat: 400, writeTimeout: 800, position: () => 'p' },
    readers.map(({ client }) => client),
  );
  keeper.start();
  keeper.start();
  t.teardown(() => keeper.stop());
  return keeper;
};

test.serial(
  'A client hears that its stream lives once so long nothing was written to it, in the form it wants',
  (t) => {
    const clock = clockOf(t);
    const [silent, visible, resuming, busy] = [reader(), reader('visible'), reader(), reader()];
    resuming.client.live = false;
    keep(t, silent, visible, resuming, busy);
    clock.pass(390);
    t.deepEqual(silent.texts, []);
    busy.client.write(Buffer.from('x'));
    clock.pass(10);
    t.deepEqual(silent.texts, [': heartbeat\nid: 0-p\n\n']);
    t.deepEqual(visible.texts, ['id: 0-p\ndata: {"type":"heartbeat"}\n\n']);
    t.deepEqual(resuming.texts, [': heartbeat\n\n'], 'it has not got all that the position promises');
    t.deepEqual(busy.texts, ['x']);
    clock.pass(400);
    t.is(silent.texts.length, 2);
    t.is(busy.texts.length, 2);
  },
);

test.serial('A client that reads nothing of what waits for so long is closed; one that reads a little is not', (t) => {
  const clock = clockOf(t);
  const [stalled, slow] = [reader(), reader()];
  for (const { connection, client } of [stalled, slow]) {
    connection.waits = true;
    client.write(Buffer.from('x'), performance.now());
  }
  keep(t, stalled, slow);
  for (let n = 0; n < 8; n += 1) {
    clock.pass(100);
    slow.connection.progress += 1;
  }
  t.deepEqual(stalled.closed, []);
  clock.pass(200);
  t.deepEqual(stalled.closed, ['stalled']);
  t.deepEqual(slow.closed, []);
});

test.serial('A client that stops to read later has the same time from then on', (t) => {
  const clock = clockOf(t);
  const one = reader();
  keep(t, one);
  clock.pass(300);
  one.connection.waits = true;
  one.client.write(Buffer.from('x'), performance.now());
  clock.pass(800);
  t.deepEqual(one.closed, []);
  clock.pass(200);
  t.deepEqual(one.closed, ['stalled']);
});

test.serial('The time for which this process itself was held up is not counted against clients', (t) => {
  const clock = clockOf(t);
  const one = reader();
  one.connection.waits = true;
  one.client.write(Buffer.from('x'), performance.now());
  keep(t, one);
  clock.pass(100);
  clock.late(5000);
  clock.pass(300);
  t.deepEqual(one.closed, []);
  clock.pass(600);
  t.deepEqual(one.closed, ['stalled']);
});

/** More clients than are checked in one turn. */
function stalledReaders() {
  const readers = Array.from({ length: 600 }, () => reader());
  for (const { client, connection } of readers) {
    connection.waits = true;
    client.write(Buffer.from('x'), performance.now());
  }
  return readers;
}

const nextTurn = () => new Promise(setImmediate);

test.serial('Nor is it counted if the process was held up between two turns of a check', async (t) => {
  const clock = clockOf(t);
  const readers = stalledReaders();
  keep(t, ...readers);
  clock.pass(100);
  clock.late(5000);
  for (let n = 0; n < 8; n += 1) {
    await nextTurn();
    clock.pass(100);
  }
  await nextTurn();
  t.deepEqual(
    readers.flatMap(({ closed }) => closed),
    [],
  );
  clock.pass(100);
  await nextTurn();
  t.true(readers.every(({ closed }) => closed.join() === 'stalled'));
});

test.serial('A check that takes several turns does not prolong the time of a client that reads nothing', async (t) => {
  const clock = clockOf(t);
  const readers = stalledReaders();
  keep(t, ...readers);
  for (let n = 0; n < 3; n += 1) {
    clock.pass(300);
    await nextTurn();
  }
  clock.pass(100);
  await nextTurn();
  t.true(readers.every(({ closed }) => closed.join() === 'stalled'));
});

test.serial('A stream ends when its time is over, and not in the millisecond in which it is', (t) => {
  const clock = clockOf(t);
  const [one, exact] = [reader(), reader()];
  one.client.expires = performance.now() + 250;
  exact.client.expires = performance.now() + 200;
  keep(t, one, exact);
  clock.pass(200);
  t.deepEqual([one.closed, exact.closed], [[], []]);
  clock.pass(100);
  t.deepEqual([one.closed, exact.closed], [['lifetime'], ['lifetime']]);
});

test.serial('A turn of a check is for five hundred clients; none follows once the last client has gone', async (t) => {
  const clock = clockOf(t);
  const stop: (() => void)[] = [];
  const last = reader('silent', () => stop.pop()?.());
  const readers = [last, ...Array.from({ length: 599 }, () => reader())];
  const keeper = keep(t, ...readers);
  const told = () => readers.filter(({ texts }) => texts.length > 0).length;
  const passOneCheckShort = async () => {
    for (let n = 0; n < 3; n += 1) {
      clock.pass(100);
      await nextTurn();
    }
  };
  await passOneCheckShort();
  t.is(told(), 0);
  clock.pass(100);
  t.is(told(), 500);
  await nextTurn();
  t.is(told(), 600);
  await passOneCheckShort();
  last.client.expires = performance.now();
  stop.push(() => keeper.stop());
  for (const { texts } of readers) texts.length = 0;
  clock.pass(100);
  t.deepEqual(last.closed, ['lifetime']);
  await nextTurn();
  t.is(told(), 499);
});

test.serial('A check that is under way when the next one is due is the only one, and is stopped', async (t) => {
  const clock = clockOf(t);
  const readers = Array.from({ length: 1500 }, () => reader());
  const keeper = keep(t, ...readers);
  clock.late(400);
  clock.pass(100);
  clock.pass(100);
  keeper.stop();
  for (let n = 0; n < 5; n += 1) await nextTurn();
  t.is(readers.filter(({ texts }) => texts.length > 0).length, 500);
});

test.serial('Who is stopped looks at nobody, and can begin again', (t) => {
  const clock = clockOf(t);
  const one = reader();
  const keeper = keep(t, one);
  keeper.stop();
  clock.pass(2000);
  t.deepEqual(one.texts, []);
  keeper.start();
  clock.pass(100);
  t.is(one.texts.length, 1);
});

test.serial(
  'Thousands of clients are looked at in turns of which each leaves room for events, and each once',
  async (t) => {
    const clock = clockOf(t);
    const readers = Array.from({ length: 2000 }, () => reader());
    const keeper = keep(t, ...readers);
    const turns = async (count: number) => {
      for (let n = 0; n < count; n += 1) await new Promise(setImmediate);
    };
    for (let n = 0; n < 3; n += 1) {
      clock.pass(100);
      await turns(20);
    }
    const told = () => readers.filter(({ texts }) => texts.length === 1).length;
    t.is(told(), 0);
    clock.pass(100);
    t.true(told() > 0 && told() < 2000, `${told()}`);
    await turns(20);
    t.is(told(), 2000);
    for (let n = 0; n < 4; n += 1) {
      if (n > 0) await turns(20);
      clock.pass(100);
    }
    keeper.stop();
    await turns(20);
    const again = readers.filter(({ texts }) => texts.length > 1).length;
    t.true(again > 0 && again < 2000, 'who is stopped looks at nobody any more');
  },
);
