import test from 'ava';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { Batch, FrameReader } from '../../bench/load/frames.js';
import { cases } from '../helpers/fuzz.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';

/** What an own, slow and well-known parser makes of the same body. */
function reference(body: string): [number, number, number][] {
  const events: [number, number, number][] = [];
  const parser = createParser({
    onEvent({ data }) {
      const { n, t, u = -1 } = JSON.parse(data) as { n?: number; t?: number; u?: number };
      if (n !== undefined && t !== undefined) events.push([n, t, u]);
    },
  });
  parser.feed(body);
  return events;
}

function read(pieces: Buffer[]): { events: [number, number, number][]; reader: FrameReader } {
  const reader = new FrameReader();
  const events: [number, number, number][] = [];
  const batch = new Batch();
  for (const piece of pieces) {
    reader.read(piece, batch);
    for (let i = 0; i < batch.length; i += 1) events.push([batch.n[i]!, batch.t[i]!, batch.u[i]!]);
    batch.length = 0;
  }
  return { events, reader };
}

/** Cuts where a network might. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length]
    .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
}

const chunked = (pieces: Buffer[]): Buffer =>
  Buffer.concat(
    pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  );

const frame = fc.oneof(
  fc.constant('retry: 2000\n\n'),
  fc.constant(': heartbeat\n\n'),
  fc.constant('data: {"type":"connected"}\n\n'),
  fc
    .tuple(fc.nat(), fc.nat(2 ** 48), fc.option(fc.nat(10_000)), fc.boolean(), fc.nat(200))
    .map(([n, t, u, spaced, padding]) => {
      const detail = { n, t, ...(u === null ? {} : { u }), pad: 'é'.repeat(padding), type: 'bench' };
      const json = JSON.stringify(detail);
      return `id: ${n}-k3f9.1\ndata: ${spaced ? json.replaceAll('":', '": ').replaceAll(',"', ', "') : json}\n\n`;
    }),
);

test('it reads what a real parser reads, wherever the network cuts, chunked or not', (t) => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 30 }),
      fc.array(fc.nat()),
      fc.array(fc.nat()),
      fc.boolean(),
      (frames, chunks, cuts, chunk) => {
        const body = Buffer.from(frames.join(''));
        const head = Buffer.from(`${HEAD}${chunk ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`);
        const bytes = Buffer.concat([head, chunk ? chunked(cut(body, chunks)) : body]);
        const { events, reader } = read(cut(bytes, cuts));
        t.is(reader.status, 200);
        t.deepEqual(events, reference(body.toString()));
      },
    ),
    cases(500),
  );
});

test('a refusal is seen by its status', (t) => {
  const { reader } = read([Buffer.from('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n{}')]);
  t.is(reader.status, 503);
  t.true(reader.begun);
});
