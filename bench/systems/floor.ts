/** The floor: a raw LISTEN, and one write to each raw socket for each event. No server in Node can do less. */
import { createServer, type Socket } from 'node:net';
import { Audience, listen, userOf } from './notifications.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\ndata: {"type":"connected"}\n\n';

export function play(): System {
  return {
    resident,
    usage,
    async listen({ databaseUrl, dropEvery, listeners = 1 }: SystemOptions) {
      const audience = new Audience<Socket>();
      let deliveries = 0;
      await listen(databaseUrl, (user, detail) => {
        const frame = Buffer.from(`data: ${detail}\n\n`);
        for (const socket of audience.of(user)) {
          deliveries += 1;
          if (dropEvery === undefined || deliveries % dropEvery !== 0) socket.write(frame);
        }
      });
      for (let extra = 1; extra < listeners; extra += 1) await listen(databaseUrl, () => {});
      const server = createServer({ noDelay: true }, (socket) => {
        socket.on('error', () => {});
        socket.once('data', (request) => {
          const user = userOf(String(request));
          socket.write(HEAD);
          audience.add(user, socket);
          socket.once('close', () => audience.delete(user, socket));
        });
      });
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: '/?user=USER' };
    },
  };
}
