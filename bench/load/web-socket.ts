import { WebSocket } from 'ws';
import { type Batch, readEvent } from './frames.js';
import type { Stream } from './readers.js';

/** A Socket.IO client as small as can be: Engine.IO 4 over a WebSocket, the same numbers read from its events. */
export function connectWebSocket(
  port: number,
  path: string,
  index: number,
  batch: Batch,
  onBatch: (index: number, bytes: number) => void,
  onClose: () => void,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path.replace('USER', String(index))}`, {
      perMessageDeflate: false,
    });
    let open = false;
    socket.once('error', reject);
    socket.once('close', () => (open ? onClose() : reject(new Error('The socket was closed before it began.'))));
    socket.on('message', (data: Buffer) => {
      // '0' open, '2' ping, '40' joined, '42' event.
      if (data[0] === 0x30) socket.send('40');
      else if (data[0] === 0x32) socket.send('3');
      else if (data[1] === 0x30) {
        open = true;
        resolve({ index, destroy: () => socket.terminate() });
      } else if (data[1] === 0x32) {
        readEvent(data, 2, data.length, batch);
        onBatch(index, data.length);
      }
    });
  });
}
