import { connect, type Socket } from 'node:net';
import type { Address } from '../../bench/systems/system.js';

const request = ({ port, path }: Address, user: string, lastEventId: string) =>
  `GET ${path.replace('USER', user)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nLast-Event-ID: ${lastEventId}\r\n\r\n`;

const open = (address: Address): Socket => {
  const socket = connect(address.port, '127.0.0.1');
  // Closed by the server, or by ourselves: that is what they are for.
  socket.on('error', () => {});
  return socket;
};

/** Clients of `user` that read the beginning of their stream, and then nothing. */
export function stall(address: Address, user: string, lastEventId: string, clients: number): Promise<Socket[]> {
  const stalled = async () => {
    const socket = open(address);
    socket.write(request(address, user, lastEventId));
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => {
        socket.pause();
        resolve();
      });
      socket.once('close', () => reject(new Error('A stream was closed before it began.')));
    });
    return socket;
  };
  return Promise.all(Array.from({ length: clients }, stalled));
}

/** What breaks off, each at another moment: before the request, in the midst of it, behind it, and while it resumes. */
const ABORTS: ((socket: Socket, text: string) => void)[] = [
  (socket) => socket.once('connect', () => socket.destroy()),
  (socket, text) => socket.write(text.slice(0, text.length / 2), () => socket.resetAndDestroy()),
  (socket, text) => socket.write(text, () => socket.resetAndDestroy()),
  (socket, text) => {
    socket.write(text);
    socket.once('data', () => socket.destroy());
  },
];

/** Clients that break off; resolves when all have. */
export async function abort(address: Address, lastEventId: string, clients: number): Promise<void> {
  const aborted = (index: number) =>
    new Promise<void>((resolve) => {
      const socket = open(address);
      socket.once('close', () => resolve());
      ABORTS[index % ABORTS.length]!(socket, request(address, String(index), lastEventId));
    });
  await Promise.all(Array.from({ length: clients }, (_, index) => aborted(index)));
}
