/** better-sse on node:http, fed by a raw LISTEN: what its users build. */
import { createServer } from 'node:http';
import { type Channel, createChannel, createSession } from 'better-sse';
import { listen, userOf } from './notifications.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

export function play(): System {
  return {
    resident,
    usage,
    async listen({ databaseUrl }: SystemOptions) {
      const everyone = createChannel();
      const users = new Map<string, Channel>();
      await listen(databaseUrl, (user, detail) => {
        const channel = user === '' ? everyone : users.get(user);
        channel?.broadcast(JSON.parse(detail) as object, 'bench');
      });
      const server = createServer(async (request, response) => {
        const user = userOf(request.url ?? '');
        const session = await createSession(request, response);
        everyone.register(session);
        const own = users.get(user) ?? createChannel();
        users.set(user, own);
        own.register(session);
      });
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: '/?user=USER' };
    },
  };
}
