/**
 * Socket.IO with its postgres adapter. Its emitter's way in is a NOTIFY on the adapter's channel with an envelope
 * of the adapter's own; a publisher in SQL writes the same.
 */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/postgres-adapter';
import pg from 'pg';
import { Server } from 'socket.io';
import { userOf } from './notifications.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

export function play(): System {
  return {
    resident,
    usage,
    async listen({ databaseUrl, topics }: SystemOptions) {
      const server = createServer();
      const pool = new pg.Pool({ connectionString: databaseUrl });
      const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
      io.adapter(createAdapter(pool, { tableName: 'socket_io_attachments' }));
      io.on('connection', (socket) => {
        void socket.join(`user:${userOf(socket.handshake.url)}`);
        if (topics) void socket.join(`room:${/[?&]room=(\d+)/.exec(socket.handshake.url)?.[1]}`);
      });
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      const path = `/socket.io/?EIO=4&transport=websocket&user=USER${topics ? '&room=ROOM' : ''}`;
      return { port, path, protocol: 'socket.io' };
    },
  };
}
