/** Entry of every process that the benchmark starts: plays the role named by its argument until its parent lets go. */
import type { Call, Reply } from './remote.js';

type Play = () => object;

const roles: Record<string, () => Promise<{ play: Play }>> = {
  readers: () => import('./load/readers.js'),
  publisher: () => import('./load/publisher.js'),
  djr: () => import('./systems/djr.js'),
  relay: () => import('./systems/relay.js'),
  'relay-source': () => import('./systems/relay-source.js'),
  floor: () => import('./systems/floor.js'),
  http: () => import('./systems/http.js'),
  'better-sse': () => import('./systems/better-sse.js'),
  'socket.io': () => import('./systems/socket-io.js'),
};

const role = process.argv[2] ?? '';
const load = roles[role];
if (!load) throw new Error(`No role ${role}.`);
const api = load().then(({ play }) => play() as Record<string, (argument: unknown) => unknown>);

async function answer({ id, method, argument }: Call): Promise<Reply> {
  try {
    const handlers = await api;
    return { id, result: await handlers[method]!(argument) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (call: Call) => {
  void answer(call).then((reply) => process.connected && process.send!(reply));
});
// Ctrl-C goes to the whole group; the parent decides what ends when.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());
