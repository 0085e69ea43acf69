import test from 'ava';
import { Ahead } from '../../src/event/ahead.js';
import { Item } from '../../src/event/item.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { ResumeId } from '../../src/stream/resume/resume-id.js';
import { chunkOf, Sender } from '../../src/stream/resume/sender.js';
import { openClient } from '../clients/open-client.js';
import { at, event, events } from './simulated-storage.js';

test('What is sent together is at least one event, at most 64, and no more bytes than half of what may wait', (t) => {
  const client = { maxBytes: 1000 } as Parameters<typeof chunkOf>[2];
  const sizes = (...all: number[]) => all.map((size) => ({ size }));
  const many = (count: number, size: number) => Array.from({ length: count }, () => ({ size }));
  t.is(chunkOf(many(100, 10), 0, client).length, 50);
  t.is(chunkOf(many(100, 10), 70, client).length, 30);
  t.deepEqual(chunkOf(sizes(600, 10), 0, client), sizes(600));
  t.deepEqual(chunkOf(sizes(1, 600, 10), 1, client), sizes(600));
  t.deepEqual(chunkOf(sizes(490, 10, 1), 0, client), sizes(490, 10));
  t.is(chunkOf(many(100, 1), 10, client).length, 64);
  t.deepEqual(chunkOf([], 0, client), []);
});

/** A client, and the places at which frames without an event have set its last id. */
function open(options: Parameters<typeof openClient>[0] = {}) {
  const opened = openClient({ maxBytes: 1_000_000, ...options });
  const marks: string[] = [];
  const { write } = opened.connection;
  opened.connection.write = (chunk) => {
    marks.push(...[...`${chunk}`.matchAll(/^id: 0-(.*)$/gm)].map(([, place]) => place!));
    return write(chunk);
  };
  return { ...opened, marks };
}

const items = (first: number, last: number) => events(first, last).map((one) => new Item(0, one, 'p'));

test('Between two portions the client’s last id names what it has got; behind the last one its caller moves it', async (t) => {
  const { client, written, marks } = open();
  const id = new ResumeId(packPosition('0', 0, at(20)), at(20));
  await new Sender().sendAll(client, items(21, 120), id);
  t.deepEqual(
    written,
    Array.from({ length: 100 }, (_, n) => 21 + n),
  );
  t.is(marks.length, 1);
  t.is(parsePosition(`0-${marks[0]}`)!.ahead!.size, 64);
  t.is(parsePosition(`0-${id.position}`)!.ahead!.size, 100);
});

test('A client that has to read first has its last id moved behind the last portion, too', async (t) => {
  const { client, connection, marks, state } = open();
  state.waits = true;
  const sent = new Sender().sendAll(client, items(21, 22), new ResumeId(packPosition('0', 0, at(20)), at(20)));
  t.is(marks.length, 1);
  connection.onDrain!();
  await sent;
});

test('A client whose hook has not answered keeps its id, and one that reads no empty frames as well', async (t) => {
  let answer: (() => void) | undefined;
  const { client, marks } = open({
    beforeSend: ({ envelope }) =>
      new Promise((resolve) => {
        answer = () => resolve(envelope);
      }),
  });
  const sender = new Sender();
  client.send(new Item(1, event(1), 'p'));
  sender.mark(client, 'q');
  t.deepEqual(marks, []);
  answer!();
  await client.ready();
  sender.mark(client, 'q');
  t.deepEqual(marks, ['q']);
  const comments = open({ pulse: 'comment' });
  sender.mark(comments.client, 'q');
  t.deepEqual(comments.marks, []);
  t.false(comments.client.closed);
});

test('The id of a resume names what the client had when it came, and what it was sent since', (t) => {
  const before = new Ahead(at(20));
  before.add(event(25));
  const position = packPosition('here', 4, at(20), before.packed);
  const id = new ResumeId(position, at(20), parsePosition(`0-${position}`)!.ahead);
  t.is(id.position, position);
  id.add([event(22), event(19)]);
  const { ahead, sequence } = parsePosition(`0-${id.position}`)!;
  t.is(sequence, 4);
  t.deepEqual(
    [19, 22, 23, 25].map((number) => ahead!.has(event(number))),
    [false, true, false, true],
  );
});
