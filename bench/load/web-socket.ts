import { WebSocket } from 'ws';
import { readEvent } from './frames.js';
import type { Listener, Stream } from './stream.js';

/** A Socket.IO client as small as can be: Engine.IO 4 over a WebSocket, the same numbers read from its events. */
export function connectWebSocket(
  port: number,
  path: string,
  index: number,
  { batch, onRead, onClose }: Listener,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      perMessageDeflate: false,
    });
    const stream: Stream = { index, destroy: () => socket.terminate() };
    let open = false;
    socket.once('error', reject);
    socket.once('close', () => (open ? onClose(stream) : reject(new Error('The socket was closed before it began.'))));
    socket.on('message', (data: Buffer) => {
      // '0' open, '2' ping, '40' joined, '42' event.
      if (data[0] === 0x30) socket.send('40');
      else if (data[0] === 0x32) socket.send('3');
      else if (data[1] === 0x30) {
        open = true;
        resolve(stream);
      } else if (data[1] === 0x32) {
        readEvent(data, 2, data.length, batch);
        onRead(index, data.length);
      }
    });
  });
}
