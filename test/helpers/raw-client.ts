import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { type TestApp, until } from './server.js';

/** A client on a bare socket, that reads until it is told not to. */
export async function rawClient(
  t: ExecutionContext,
  app: Pick<TestApp, 'origin'>,
): Promise<{ socket: Socket; text(): string }> {
  const { hostname, port } = new URL(app.origin);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write('GET /realtime/sse/ HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the connected frame', () => text.includes('"connected"'));
  return { socket, text: () => text };
}

/** Events of 7 kB, in one transaction. */
export const publishBulk = (app: TestApp, from: number, to: number) =>
  app.db.query(
    `select djr.publish_global('bulk', jsonb_build_object('n', i, 'text', repeat('x', 7000)))
       from generate_series($1::int, $2::int) i`,
    [from, to],
  );
