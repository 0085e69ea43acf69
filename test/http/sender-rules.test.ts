import test from 'ava';
import { Senders } from '../../src/http/guards/senders.js';
import { recordingLogger } from '../helpers/server.js';

/** An address as the options say, and what was logged for it. */
function sent(options: object, { peer, ...headers }: Record<string, string | undefined> = {}) {
  const { logger, lines } = recordingLogger();
  const senders = new Senders({ trustProxy: [], maxConnectionsPerAddress: 5, logger, ...options });
  const request = new Request('http://localhost/');
  const address = senders.address({ peer, header: (name) => headers[name], request: () => request, context: {} });
  return { address, said: lines.map(({ level, context }) => [level, context] as const) };
}

test('The address is that of the peer, of a proxy’s header, or what the app says', (t) => {
  t.is(sent({}, { peer: '1.1.1.1' }).address, '1.1.1.1');
  t.deepEqual(sent({}, { peer: '1.1.1.1' }).said, []);
  const forwarded = { peer: '10.0.0.1', 'x-forwarded-for': '2.2.2.2' };
  t.deepEqual(sent({ trustProxy: ['10.0.0.1'] }, forwarded), { address: '2.2.2.2', said: [] });
  t.deepEqual(sent({}, forwarded), { address: '10.0.0.1', said: [['warn', { proxy: '10.0.0.1' }]] });
  t.deepEqual(sent({ maxConnectionsPerAddress: 0 }, forwarded), { address: '10.0.0.1', said: [] });
  const clientAddress = (...[request, context]: [Request, object]) => `${request.url} ${JSON.stringify(context)}`;
  t.deepEqual(sent({ clientAddress }, forwarded), { address: 'http://localhost/ {}', said: [] });
});

test('An address that is not known is logged where a limit needs it; what the app says must be one', (t) => {
  t.deepEqual(sent({}), { address: undefined, said: [['error', {}]] });
  t.deepEqual(sent({ maxConnectionsPerAddress: 0 }), { address: undefined, said: [] });
  for (const none of [null, undefined]) {
    const { address, said } = sent({ clientAddress: () => none, maxConnectionsPerAddress: 0 });
    t.deepEqual([address, said], [undefined, []]);
  }
  t.is(sent({ clientAddress: () => 'x'.repeat(200) }).address, 'x'.repeat(200));
  for (const wrong of ['', 7, 'x'.repeat(201)]) {
    const { address, said } = sent({ clientAddress: () => wrong, maxConnectionsPerAddress: 0 });
    t.is(address, undefined);
    t.is(said.length, 1);
    t.is(said[0]![0], 'error');
    t.regex(`${(said[0]![1].err as Error).message}`, /must return an address or null/);
  }
  const fails = () => {
    throw new Error('broken');
  };
  t.is(sent({ clientAddress: fails }).said[0]![0], 'error');
});

test('Whether a client came by https is for a trusted proxy to say', (t) => {
  const { logger } = recordingLogger();
  const senders = new Senders({ trustProxy: ['10.0.0.1'], maxConnectionsPerAddress: 0, logger });
  const header = (name: string) => (name === 'x-forwarded-proto' ? 'https' : undefined);
  t.true(senders.isSecure('10.0.0.1', header));
  t.is(senders.isSecure('1.1.1.1', header), undefined);
});
