import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import * as frames from '../../src/event/frame.js';

const text = (frame: Buffer | undefined) => frame?.toString();
const dataOf = (detail: string, topic: string | null = null) => {
  const frame = frames.eventFrame(
    new Envelope(7, 5, topic === null ? 'public' : 'topic', null, 'paid', 36, detail, topic),
    'p',
    false,
  );
  return /^data: (.*)$/m.exec(frame.toString())![1];
};

test('A frame has an id with the position and the time, and a name where the client wants one', (t) => {
  const envelope = (type: string) => new Envelope(7, 5, 'public', null, type, 36, '{}');
  t.is(text(frames.eventFrame(envelope('paid'), 'a.b', false)), 'id: 7-a.b..10\ndata: {"type": "paid"}\n\n');
  t.is(text(frames.eventFrame(envelope('paid'), 'a', true)), 'id: 7-a..10\nevent: paid\ndata: {"type": "paid"}\n\n');
  // EventSource fires events of these names itself.
  for (const type of ['open', 'error']) t.notRegex(text(frames.eventFrame(envelope(type), 'a', true))!, /^event:/m);
});

test('The type of the event replaces the one of its detail, and nothing that only looks like it', (t) => {
  for (const [detail, data] of [
    ['{}', '{"type": "paid"}'],
    ['{ }', '{"type": "paid"}'],
    ['{"a": 1}', '{"a": 1, "type": "paid"}'],
    ['{"a": 1 }', '{"a": 1, "type": "paid"}'],
    ['{"type": 1}', '{"type": "paid"}'],
    ['{"type": 1, "a": 2}', '{"a": 2, "type": "paid"}'],
    ['{"a": 2, "type": 1}', '{"a": 2, "type": "paid"}'],
    ['{"a": 2, "type": 1, "b": 3}', '{"a": 2, "b": 3, "type": "paid"}'],
    ['{"type": {"type": [1, 2]}, "b": 3}', '{"b": 3, "type": "paid"}'],
    ['{"a": [1, {"type": 1}], "b": 3}', '{"a": [1, {"type": 1}], "b": 3, "type": "paid"}'],
    ['{"a": {"b": 1, "type": 2}, "type": [1, {"x": 2}], "c": 3}', '{"a": {"b": 1, "type": 2}, "c": 3, "type": "paid"}'],
    ['{"a": "type", "b": "\\"type\\": 1"}', '{"a": "type", "b": "\\"type\\": 1", "type": "paid"}'],
    ['{"a": "x, \\"y", "type": "}"}', '{"a": "x, \\"y", "type": "paid"}'],
    ['{"a": ["type", 1], "b": "{"}', '{"a": ["type", 1], "b": "{", "type": "paid"}'],
    ['{"a": [{"b": [1, 2]}, 3], "type": 4}', '{"a": [{"b": [1, 2]}, 3], "type": "paid"}'],
  ]) {
    t.is(dataOf(detail!), data, detail);
  }
  t.is(dataOf('{"a": 1}', 'room:"7"'), '{"a": 1, ":topic": "room:\\"7\\"", "type": "paid"}');
});

test('Each client hears in its own form where it stands, and that its stream lives', (t) => {
  t.is(text(frames.positionFrame('p', 'silent')), 'id: 0-p\n\n');
  t.is(text(frames.positionFrame('p', 'visible')), 'id: 0-p\ndata: {"type":"heartbeat"}\n\n');
  t.is(frames.positionFrame('p', 'comment'), undefined);
  t.is(text(frames.heartbeatFrame('p', 'silent')), ': heartbeat\nid: 0-p\n\n');
  t.is(text(frames.heartbeatFrame('p', 'visible')), 'id: 0-p\ndata: {"type":"heartbeat"}\n\n');
  t.is(text(frames.heartbeatFrame('p', 'comment')), ': heartbeat\n');
  t.is(text(frames.heartbeatFrame(undefined, 'silent')), ': heartbeat\n\n');
  t.is(text(frames.heartbeatFrame(undefined, 'visible')), 'data: {"type":"heartbeat"}\n\n');
  t.is(text(frames.heartbeatFrame(undefined, 'comment')), ': heartbeat\n');
});

test('Each client is told in its own form when to come back', (t) => {
  t.is(text(frames.retryFrame(1499.6, 'silent')), 'retry: 1500\n\n');
  t.is(text(frames.retryFrame(1500, 'visible')), 'retry: 1500\n\n');
  t.is(text(frames.retryFrame(1500, 'comment')), 'retry: 1500\n');
  t.is(text(frames.farewellFrame(1500.4, 'silent')), 'retry: 1500\n\n');
  t.is(text(frames.farewellFrame(1500, 'comment')), 'retry: 1500\n');
  t.is(text(frames.farewellFrame(1499.5, 'visible')), 'retry: 1500\n\ndata: {"type":"heartbeat","retry":1500}\n\n');
});

test('What djr itself tells a client is one frame, with an id where it moves the client', (t) => {
  t.is(text(frames.connectedFrame('p', { key: undefined })), 'id: 0-p\ndata: {"type":"connected"}\n\n');
  t.is(
    text(frames.connectedFrame('p', { key: 'k', resuming: true })),
    'id: 0-p\ndata: {"type":"connected","key":"k","resuming":true}\n\n',
  );
  t.is(text(frames.levelFrame('k')), 'data: {"type":"connected","key":"k"}\n\n');
  t.is(text(frames.resetFrame('why', 'p')), 'id: 0-p\ndata: {"type":"reset","reason":"why"}\n\n');
  t.is(text(frames.leftFrame('room:7', 'why')), 'data: {"type":"left","topic":"room:7","reason":"why"}\n\n');
  t.is(text(frames.disconnectedFrame('why')), 'data: {"type":"disconnected","reason":"why"}\n\n');
  t.is(text(frames.disconnectedFrame(undefined)), 'data: {"type":"disconnected"}\n\n');
  t.is(
    text(frames.presenceFrame({ topic: 'r', joined: ['a'], count: 2 })),
    'data: {"type":"presence","topic":"r","joined":["a"],"count":2}\n\n',
  );
});
