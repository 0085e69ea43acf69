import test from 'ava';
import { createRealtime, DjrError, type RealtimeOptions } from '../src/index.js';

const WRONG: [option: string, options: unknown][] = [
  ['heartbeat', { heartbeat: 'soon' }],
  ['heartbeat', { heartbeat: 99 }],
  ['heartbeat', { heartbeat: 2 ** 31 }],
  ['retry', { retry: -1 }],
  ['lifetime', { lifetime: 1.5 }],
  ['maxClientBytes', { maxClientBytes: 10 }],
  ['writeTimeout', { writeTimeout: 0 }],
  ['maxConnections', { maxConnections: 0 }],
  ['maxConnectionsPerUser', { maxConnectionsPerUser: Number.NaN }],
  ['maxConnectionsPerAddress', { maxConnectionsPerAddress: '5' }],
  ['sweepInterval', { sweepInterval: 0 }],
  ['historyEvents', { historyEvents: -1 }],
  ['historyBytes', { historyBytes: Number.POSITIVE_INFINITY }],
  ['resumeLimit', { resumeLimit: null }],
  ['hookTimeout', { hookTimeout: 0 }],
  ['probeInterval', { probeInterval: 1 }],
  ['shutdownGrace', { shutdownGrace: -5 }],
  ['basePath', { basePath: 'realtime' }],
  ['basePath', { basePath: '/real time' }],
  ['basePath', { basePath: '/a?b' }],
  ['basePath', { basePath: '//' }],
  ['authenticate', { authenticate: 'alice' }],
  ['onReceive', { onReceive: {} }],
  ['beforeSend', { beforeSend: null }],
  ['admin', { admin: true }],
  ['admin.authorize', { admin: { authorize: 'admin' } }],
  ['admin.authorise', { admin: { authorize: () => true, authorise: () => true } }],
  ['logger', { logger: () => {} }],
  ['logger', { logger: { info: () => {} } }],
  ['allowedOrigins', { allowedOrigins: 'https://a.example.com' }],
  ['allowedOrigins.0', { allowedOrigins: ['*'] }],
  ['allowedOrigins.1', { allowedOrigins: ['https://a.example.com', 'https://b.example.com/path'] }],
  ['publicPath', { publicPath: 'realtime' }],
  ['trustProxy', { trustProxy: true }],
  ['trustProxy.0', { trustProxy: ['localhost'] }],
  ['trustProxy.1', { trustProxy: ['10.0.0.0/8', '10.0.0.0/33'] }],
  ['trustProxy.0', { trustProxy: ['10.0.0.0/8/8'] }],
  ['trustProxy.0', { trustProxy: ['::1/129'] }],
  ['trustProxy.0', { trustProxy: [''] }],
  ['clientAddress', { clientAddress: 'x-real-ip' }],
  ['stopOn', { stopOn: 'SIGTERM' }],
  ['stopOn.0', { stopOn: ['SIGKILL'] }],
  ['hot', { hot: 1 }],
  ['hot', { hot: '' }],
  ['metrics.authorize', { metrics: {} }],
  ['metrics', { metrics: true }],
  ['health', { health: 'private' }],
  ['health', { health: { authorize: true } }],
  ['health', { health: null }],
  ['database', { database: 5 }],
  ['database', { database: '' }],
  ['database', { database: null }],
  ['database.listne', { database: { listen: 'postgres://localhost/x', listne: 'postgres://localhost/x' } }],
  ['database.listen', { database: { listen: '' } }],
  ['heartBeat', { heartBeat: 1000 }],
  ['options', null],
  ['options', 'postgres://localhost/x'],
];

for (const [option, options] of WRONG) {
  test(`One sentence names the option ${option}: ${String(JSON.stringify(options))}`, (t) => {
    const error = t.throws(() => createRealtime(options as RealtimeOptions), { instanceOf: DjrError });
    t.is(error.code, 'DJR_CONFIG');
    t.true(error.message.startsWith(`Option ${option}: `), error.message);
    t.regex(error.message, /^[^\n]{10,200}\.$/);
    t.false(error.message.includes('Invalid input.'), `it says what is wrong: ${error.message}`);
    t.truthy(error.hint);
  });
}

test('Every option may be left out, and undefined is as good as that', (t) => {
  t.notThrows(() => createRealtime());
  t.notThrows(() => createRealtime({}));
  t.notThrows(() => createRealtime({ heartbeat: undefined, database: undefined, logger: undefined }));
});

test('Databases are named in all the ways that docs name', (t) => {
  const url = 'postgres://user@localhost/x';
  t.notThrows(() => createRealtime({ database: url }));
  t.notThrows(() => createRealtime({ database: { host: 'localhost', password: () => 'secret', max: 5 } }));
  t.notThrows(() => createRealtime({ database: { listen: url } }));
  t.notThrows(() => createRealtime({ database: { listen: url, pool: { connectionString: url, max: 3 } } }));
});
