import test from 'ava';
import { FetchConnection } from '../../src/http/adapters/fetch-connection.js';

/** Longer than any test runs. */
const HOUR = 3_600_000;

/** A stream's connection, and what reads it. */
function open() {
  let connection: FetchConnection | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        connection = new FetchConnection(controller);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 16 * 1024 }),
  );
  const gone = new Promise<void>((resolve) => {
    connection!.onGone = resolve;
  });
  return { connection: connection!, reader: body.getReader(), gone };
}

test('a stream that is ended when its reader has taken all is gone at once', async (t) => {
  const { connection, gone, reader } = open();
  connection.write(Buffer.from('retry: 1\n\n'));
  await reader.read();
  connection.end(HOUR);
  await gone;
  t.is(connection.progress, 10);
});

test('a stream that is ended is gone when its reader has taken the rest, however long it was given', async (t) => {
  // Where nothing else runs, the look at what was taken keeps no process.
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  const { connection, gone, reader } = open();
  connection.write(Buffer.from('retry: 1\n\n'));
  connection.end(HOUR);
  t.is(connection.buffered, 10);
  t.false((await reader.read()).done);
  t.true((await reader.read()).done);
  await gone;
  t.is(connection.buffered, 0);
});
