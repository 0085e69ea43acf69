import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { limitKey, plainAddress, TrustedProxies } from '../../src/http/guards/trusted-proxies.js';
import type { RealtimeOptions } from '../../src/index.js';
import { openAdmin } from '../helpers/admin.js';
import { startApp, until } from '../helpers/server.js';

const senderOf = (trusted: string[], peer: string | undefined, headers: Record<string, string>) =>
  new TrustedProxies(trusted).sender(peer, (name) => headers[name]);

test('X-Forwarded-For is read from its end, up to the first address that is no trusted proxy', (t) => {
  const address = (trusted: string[], peer: string | undefined, forwarded: string) =>
    senderOf(trusted, peer, { 'x-forwarded-for': forwarded }).address;
  t.is(address([], '10.0.0.1', '1.1.1.1'), '10.0.0.1', 'nobody is trusted');
  t.is(address(['10.0.0.0/8'], '11.0.0.1', '1.1.1.1'), '11.0.0.1');
  t.is(address(['10.0.0.0/8'], '10.0.0.1', '1.1.1.1'), '1.1.1.1');
  t.is(
    address(['10.0.0.0/8'], '10.0.0.1', '9.9.9.9, 1.1.1.1, 10.2.3.4'),
    '1.1.1.1',
    'what a client wrote first is not read',
  );
  t.is(address(['10.0.0.1'], '10.0.0.1', '9.9.9.9, 10.2.3.4'), '10.2.3.4');
  t.is(address(['10.0.0.0/8'], '10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3', 'all of them are proxies');
  t.is(address(['10.0.0.0/8'], '10.0.0.1', '1.1.1.1, unknown'), '10.0.0.1', 'nothing before what cannot be read');
  t.is(address(['10.0.0.0/8'], '10.0.0.1', ''), '10.0.0.1');
  t.is(address(['10.0.0.0/8'], '::ffff:10.0.0.1', '1.1.1.1:5678'), '1.1.1.1');
  t.is(address(['::1', 'fd00::/8'], '::1', '[2001:db8::7]:443, fd12::1'), '2001:db8::7');
  t.is(address(['unix'], undefined, '1.1.1.1'), '1.1.1.1');
  t.is(address(['10.0.0.0/8'], undefined, '1.1.1.1'), undefined);
});

test('X-Forwarded-Proto is believed of trusted proxies only', (t) => {
  const secure = (peer: string, headers: Record<string, string>) => senderOf(['10.0.0.0/8'], peer, headers).secure;
  t.is(secure('10.0.0.1', { 'x-forwarded-proto': 'https' }), true);
  t.is(secure('10.0.0.1', { 'x-forwarded-proto': 'http' }), false);
  t.is(secure('10.0.0.1', {}), undefined);
  t.is(secure('11.0.0.1', { 'x-forwarded-proto': 'https' }), undefined);
  const two = { 'x-forwarded-for': '1.1.1.1, 10.0.0.2', 'x-forwarded-proto': 'https, http' };
  t.is(secure('10.0.0.1', two), true, 'that of the client, where each proxy has added one');
  t.is(
    secure('10.0.0.1', { ...two, 'x-forwarded-for': '6.6.6.6, 1.1.1.1', 'x-forwarded-proto': 'https, http' }),
    false,
  );
});

test('IPv6 is counted by /64, IPv4 in IPv6 as IPv4', (t) => {
  t.is(limitKey('2001:db8:1:2:3:4:5:6'), limitKey('2001:db8:1:2::1'));
  t.not(limitKey('2001:db8:1:2::1'), limitKey('2001:db8:1:3::1'));
  t.is(limitKey('::ffff:1.2.3.4'), '1.2.3.4');
  t.is(limitKey('::FFFF:102:304'), '1.2.3.4');
  t.is(limitKey('fe80::1%eth0'), limitKey('fe80::2'));
  t.not(limitKey('1.2.3.4'), limitKey('1.2.3.5'));
  t.is(plainAddress('1.2.3'), undefined);
  t.is(plainAddress('<script>'), undefined);
});

/** The status of a stream that this client asks for through a proxy on this machine. */
async function ask(t: ExecutionContext, options: RealtimeOptions) {
  const app = await startApp(t, options);
  const from = async (forwarded: string) => {
    const stream = await app.stream('', { headers: { 'x-forwarded-for': forwarded }, early: true });
    await stream.until('an answer', () => stream.status > 0);
    return stream.status;
  };
  return { ...app, from };
}

test('behind a trusted proxy the limit is of each client, and of an IPv6 network', async (t) => {
  const { from } = await ask(t, { trustProxy: ['127.0.0.0/8'], maxConnectionsPerAddress: 2 });
  for (const address of ['1.1.1.1', '6.6.6.6, 1.1.1.1', '2.2.2.2', '2001:db8::1', '2001:db8::2']) {
    t.is(await from(address), 200, address);
  }
  for (const address of ['1.1.1.1', '::ffff:1.1.1.1', '7.7.7.7, 1.1.1.1', '2001:db8::3', '2001:DB8:0:0:9::9']) {
    t.is(await from(address), 429, address);
  }
  for (const address of ['2.2.2.2', '3.3.3.3', '2001:db8:0:1::1']) t.is(await from(address), 200, address);
});

test('behind a proxy that is not trusted all clients are one address, and the log says so once', async (t) => {
  const { from, lines } = await ask(t, { maxConnectionsPerAddress: 1 });
  t.is(await from('1.1.1.1'), 200);
  t.is(await from('2.2.2.2'), 429);
  const said = lines.filter(({ message }) => /trustProxy/.test(message));
  t.deepEqual(said.map(({ level }) => level).slice(0, 1), ['warn']);
  t.is(said.filter(({ level }) => level === 'warn').length, 1);
});

test('realtime.fetch counts by the address that it is given, or clientAddress says; without one the log says so', async (t) => {
  const url = 'http://app.example.com/realtime/sse/';
  const status = async (app: Awaited<ReturnType<typeof ask>>, context?: object, headers = {}) =>
    (await app.realtime.fetch(new Request(url, { headers }), context)).status;
  const app = await ask(t, { maxConnectionsPerAddress: 1, trustProxy: ['10.0.0.1'] });
  t.is(await status(app, { address: '1.1.1.1' }), 200);
  t.is(await status(app, { address: '1.1.1.1' }), 429);
  t.is(await status(app, { address: '10.0.0.1' }, { 'x-forwarded-for': '1.1.1.1' }), 429);
  t.is(await status(app, { address: '10.0.0.1' }, { 'x-forwarded-for': '2.2.2.2' }), 200);
  t.is(await status(app, { requestIP: () => ({ address: '2.2.2.2' }) }), 429, 'as Bun calls it');
  t.is(await status(app, { remoteAddr: { hostname: '2.2.2.2' } }), 429, 'as Deno calls it');
  t.false(app.lines.some(({ message }) => /address is not known/.test(message)));
  t.is(await status(app), 200);
  t.is(await status(app, {}, { 'x-forwarded-for': '1.1.1.1' }), 200, 'a header alone says nothing');
  t.is(app.lines.filter(({ level, message }) => level === 'error' && /address is not known/.test(message)).length, 1);

  const own = await ask(t, {
    maxConnectionsPerAddress: 1,
    clientAddress: (request) => {
      const address = request.headers.get('x-client');
      if (address === 'broken') throw new Error('no such header');
      return address;
    },
  });
  t.is(await status(own, undefined, { 'x-client': '1.1.1.1' }), 200);
  t.is(await status(own, undefined, { 'x-client': '1.1.1.1' }), 429);
  t.is(await status(own, undefined, { 'x-client': 'broken' }), 200);
  t.true(own.lines.some(({ level, message }) => level === 'error' && /clientAddress failed/.test(message)));
});

test('a proxy on a Unix socket is trusted by name', async (t) => {
  const app = await startApp(t, { trustProxy: ['unix'], maxConnectionsPerAddress: 1 });
  const server = createServer(app.realtime.handler);
  const folder = await mkdtemp(join(tmpdir(), 'djr-socket-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'djr.sock');
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const status = (forwarded: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { 'x-forwarded-for': forwarded };
      const sent = request({ socketPath, path: '/realtime/sse/', headers, agent: false }, (response) =>
        resolve(response.statusCode!),
      );
      t.teardown(() => sent.destroy());
      sent.on('error', reject).end();
    });
  t.is(await status('1.1.1.1'), 200);
  t.is(await status('1.1.1.1'), 429);
  t.is(await status('2.2.2.2'), 200);
});

test("the admin's redirects, cookies and log are of the client behind a trusted proxy", async (t) => {
  const urls: string[] = [];
  const { confirm, post, lines, db, visit } = await openAdmin(t, {
    trustProxy: ['127.0.0.1'],
    admin: {
      authorize: (request) => {
        urls.push(request.url);
        if (request.headers.has('x-login')) return Response.redirect(new URL('/login', request.url));
        return request.headers.get('x-admin') === 'yes';
      },
    },
  });
  await db.query("select djr.publish_global('one')");
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
  const asked = await visit('replay/?id=1', { headers: forwarded });
  t.regex(asked.headers.get('set-cookie')!, /; Secure/);
  t.notRegex((await confirm(1)).setCookie, /Secure/);
  const redirect = await visit('', { headers: { ...forwarded, 'x-login': '1' } });
  t.regex(redirect.headers.get('location')!, /^https:\/\/127\.0\.0\.1:\d+\/login$/);
  t.true(urls.some((url) => url.startsWith('https:')));
  const { token, cookie } = await confirm(1);
  t.is((await post({ token, ids: '1' }, { cookie, ...forwarded })).status, 303);
  await until('the log', () => lines.some(({ message }) => /replayed in the admin/.test(message)));
  t.is(lines.find(({ message }) => /replayed in the admin/.test(message))!.context.address, '203.0.113.7');
});

test('behind a proxy that cuts a part of the path off, links, cookies and the script tag have the public path', async (t) => {
  const { confirm, post, realtime, db, visit } = await openAdmin(t, { publicPath: '/app/realtime/' });
  await db.query("select djr.publish_global('one')");
  t.true(realtime.scriptTag().includes('src="/app/realtime/djr.js" data-endpoint="/app/realtime/sse/"'));
  const page = await (await visit()).text();
  const links = [...page.matchAll(/(?:href|src|action|hx-get)="(\/[^"]*)"/g)].map(([, path]) => path!);
  t.true(links.length > 5);
  t.deepEqual(
    links.filter((path) => !path.startsWith('/app/realtime/admin/')),
    [],
  );
  const { setCookie, cookie, token } = await confirm(1);
  t.regex(setCookie, /Path=\/app\/realtime\/admin/);
  const done = await post({ token, ids: '1' }, { cookie });
  t.is(done.headers.get('location'), '/app/realtime/admin/replay/?done=2');
});
