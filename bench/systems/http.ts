/** The floor of a web server: node:http, and one `response.write` a client for each event. */
import { createServer, type ServerResponse } from 'node:http';
import { Audience, listen, userOf } from './notifications.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

export function play(): System {
  return {
    resident,
    usage,
    async listen({ databaseUrl }: SystemOptions) {
      const audience = new Audience<ServerResponse>();
      await listen(databaseUrl, (user, detail) => {
        const frame = Buffer.from(`data: ${detail}\n\n`);
        for (const response of audience.of(user)) response.write(frame);
      });
      const server = createServer((request, response) => {
        const user = userOf(request.url ?? '');
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
        response.write('data: {"type":"connected"}\n\n');
        audience.add(user, response);
        response.once('close', () => audience.delete(user, response));
      });
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: '/?user=USER' };
    },
  };
}
