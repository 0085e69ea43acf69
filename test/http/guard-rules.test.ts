import { mock } from 'node:test';
import test from 'ava';
import { Admission, type Place } from '../../src/http/guards/admission.js';
import { checkOrigin, isAllowable, Origins } from '../../src/http/guards/origin.js';
import { Rate } from '../../src/http/guards/rate.js';
import { isProxy, limitKey, plainAddress, TrustedProxies } from '../../src/http/guards/trusted-proxies.js';

test('A page opens a stream of its own host, port included, and of no other that ends or begins alike', (t) => {
  const opens = (origin: string | undefined, host: string | undefined, fetchSite?: string) =>
    checkOrigin({ origin, host, fetchSite }) !== undefined;
  t.true(opens('https://example.com', 'example.com'));
  t.true(opens('http://example.com:8080', 'example.com:8080'));
  t.true(opens('https://example.com:443', 'example.com'));
  t.true(opens(undefined, 'example.com'), 'no page asks');
  t.true(
    opens('https://elsewhere.com', 'example.com', 'same-origin'),
    'the browser knows that a proxy changed the host',
  );
  for (const [origin, host] of [
    ['https://evilexample.com', 'example.com'],
    ['https://example.com', 'evilexample.com'],
    ['https://sub.example.com', 'example.com'],
    ['https://example.com.evil.org', 'example.com'],
    ['https://example.com:8080', 'example.com'],
    ['https://example.com', 'example.com:8080'],
    ['https://example.com', undefined],
    ['https://example.com', ''],
    ['https://example.com@evil.org', 'example.com'],
    ['capacitor://example.com', 'example.com'],
    ['xhttps://example.com', 'example.com'],
    ['https://', 'example.com'],
    ['https://:', ''],
    ['null', 'null'],
    ['', ''],
  ] as const) {
    t.false(opens(origin, host), `${origin} at ${host}`);
    for (const site of ['same-site', 'cross-site', 'none']) t.false(opens(origin, host, site));
  }
});

test('An allowed origin gets the headers that a browser asks for; a page of the host needs none', (t) => {
  const allowed = new Origins(['https://app.example.com', 'https://*.example.org']);
  const answer = (origin: string) => checkOrigin({ origin, host: 'example.net', fetchSite: undefined }, allowed);
  for (const origin of ['https://app.example.com', 'https://a.example.org']) {
    t.deepEqual(answer(origin), {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      Vary: 'Origin',
    });
  }
  t.deepEqual(answer('https://example.net'), {});
  t.is(answer('https://example.org'), undefined);
});

test('A star is one whole label of a name, and no part of an origin besides', (t) => {
  const has = (entry: string, origin: string) => new Origins([entry]).has(origin);
  for (const origin of [
    'https://a.example.com',
    'https://a-b_c.example.com',
    `https://${'a'.repeat(63)}.example.com`,
  ]) {
    t.true(has('https://*.example.com', origin), origin);
  }
  for (const origin of [
    'https://.example.com',
    'https://a..example.com',
    'https://-a.example.com',
    'https://a-.example.com',
    'https://A.example.com',
    'https://a b.example.com',
    `https://${'a'.repeat(64)}.example.com`,
    'https://a.b.example.com',
    'https://a.example.com:1',
    'https://axexample.com',
    'http://a.example.com',
    'http://xa.example.com',
    'xhttps://a.example.com',
    'https://*.example.com',
    'a.example.com',
    '',
  ]) {
    t.false(has('https://*.example.com', origin), origin);
  }
  const two = new Origins(['https://*.example.com', 'http://*.example.org']);
  t.deepEqual(
    ['https://a.example.com', 'http://a.example.org', 'http://a.example.com'].map((origin) => two.has(origin)),
    [true, true, false],
  );
  t.true(has('http://*.localhost:3000', 'http://a.localhost:3000'));
  t.false(has('http://*.localhost:3000', 'http://a.localhost'));
});

test('allowedOrigins may have origins as browsers write them, and stars in front of a name', (t) => {
  for (const entry of [
    'https://example.com',
    'http://localhost:3000',
    'http://1.2.3.4',
    'http://[::1]:3000',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://*.localhost',
    'https://*.a.b.example.com',
    'https://*.1and1.com',
    'https://*.example.c2',
    'capacitor://localhost',
    'app+x.y-z://a.b:65535',
  ]) {
    t.true(isAllowable(entry), entry);
  }
  for (const entry of [
    'https://example.com/',
    'https://example.com:443',
    'https://EXAMPLE.com',
    'https://u@example.com',
    'https://',
    'https://a b',
    'example.com',
    'https://*',
    'https://*.com',
    'https://*.*.example.com',
    'https://*.-a.example.com',
    'https://*.1.2.3.4',
    'https://*.[::1]',
    'https://*.example.com/x',
    'https://*.example..com',
    'https://*.example.com\nx',
    'xhttps://*.example.com',
    'capacitor://*.localhost',
    '*://example.com',
    'capacitor://localhost/',
    'capacitor://localhost:',
    'capacitor://localhost:123456',
    'xcapacitor ://localhost',
    '1app://localhost',
    'capacitor:localhost',
    'null',
    '',
  ]) {
    t.false(isAllowable(entry), entry);
  }
});

test('A key has so many requests in a span, and as many again in the next', (t) => {
  const now = mock.method(performance, 'now', () => 1000);
  t.teardown(() => now.mock.restore());
  const rate = new Rate(2, 100);
  t.deepEqual([rate.take('a'), rate.take('a'), rate.take('a'), rate.take('b')], [true, true, false, true]);
  now.mock.mockImplementation(() => 1099);
  t.false(rate.take('a'));
  now.mock.mockImplementation(() => 1100);
  t.deepEqual([rate.take('a'), rate.take('a'), rate.take('a')], [true, true, false]);
  const second = new Rate(1);
  t.true(second.take('a'));
  now.mock.mockImplementation(() => 2099);
  t.false(second.take('a'));
  now.mock.mockImplementation(() => 2100);
  t.true(second.take('a'));
});

test('With more keys than are remembered the next span begins early, and nobody is refused for it', (t) => {
  const rate = new Rate(1, 3_600_000);
  for (let n = 0; n < 50_000; n += 1) rate.take(`${n}`);
  t.true(rate.take('0'));
  t.false(rate.take('0'));
});

const admission = (limits: object = {}) =>
  new Admission({ maxConnections: 10, maxConnectionsPerUser: 2, maxConnectionsPerAddress: 0, ...limits });
const statusOf = (place: object) => ('status' in place ? place.status : 200);
const retryOf = (place: object) =>
  'headers' in place ? (place.headers as Record<string, string>)['Retry-After'] : undefined;

test('There are so many places, and one is free again when it is given back, once however often', (t) => {
  const places = admission({ maxConnections: 2 });
  const [one, two, none] = [1, 2, 3].map(() => places.enter({ address: undefined }));
  t.deepEqual([statusOf(one!), statusOf(two!), statusOf(none!)], [200, 200, 503]);
  t.is(retryOf(none!), '5');
  t.is(places.size, 2);
  (one as Place).leave();
  (one as Place).leave();
  t.is(places.size, 1);
  t.is(statusOf(places.enter({ address: undefined })), 200);
  t.is(statusOf(places.enter({ address: undefined })), 503);
});

test('An address has so many places, whoever is behind it; where there is no limit nobody asks for it', (t) => {
  const places = admission({ maxConnectionsPerAddress: 1 });
  const first = places.enter({ address: '1.1.1.1' });
  t.deepEqual(
    ['1.1.1.1', '::ffff:1.1.1.1', '2.2.2.2'].map((address) => statusOf(places.enter({ address }))),
    [429, 429, 200],
  );
  t.is(retryOf(places.enter({ address: '1.1.1.1' })), '10');
  t.is(places.size, 2);
  (first as Place).leave();
  t.is(statusOf(places.enter({ address: '1.1.1.1' })), 200);
  for (const _ of [1, 2]) t.is(statusOf(places.enter({ address: undefined })), 200, 'not known: not counted');
  const unlimited = admission();
  const asked = {
    get address(): string {
      throw new Error('it is asked for');
    },
  };
  t.is(statusOf(unlimited.enter(asked)), 200);
});

test('A user is full with so many places, and not once one is released or given back', (t) => {
  const places = admission();
  const [one, two, three] = [1, 2, 3].map(() => places.enter({ address: undefined }) as Place);
  one!.assign('ada');
  t.false(places.isFull('ada'));
  two!.assign('ada');
  t.true(places.isFull('ada'));
  t.false(places.isFull('bob'));
  three!.assign(null);
  one!.release();
  one!.release();
  t.false(places.isFull('ada'));
  three!.assign('ada');
  t.true(places.isFull('ada'));
  one!.leave();
  t.true(places.isFull('ada'), 'its place was released before');
  two!.leave();
  t.false(places.isFull('ada'));
});

test('That all places are empty is waited for, or for so long', async (t) => {
  const places = admission();
  await places.emptied(60_000);
  const [one, two] = [1, 2].map(() => places.enter({ address: undefined }) as Place);
  let empty = 0;
  const waiting = [1, 2].map(() => places.emptied(60_000).then(() => (empty += 1)));
  one!.leave();
  await new Promise(setImmediate);
  t.is(empty, 0);
  two!.leave();
  await Promise.all(waiting);
  t.is(empty, 2);
  const again = places.enter({ address: undefined }) as Place;
  const waited = places.emptied(60_000);
  again.leave();
  await waited;
  places.enter({ address: undefined });
  await places.emptied(1);
  t.is(places.size, 1);
});

test('An address is one text, however it is written', (t) => {
  for (const [text, plain] of [
    ['1.2.3.4', '1.2.3.4'],
    [' 1.2.3.4 ', '1.2.3.4'],
    ['"1.2.3.4"', '1.2.3.4'],
    ['1.2.3.4:80', '1.2.3.4'],
    ['"[::1]:80"', '::1'],
    ['[::1]', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:255.254.253.252', '255.254.253.252'],
    ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
    ['::fffe:1.2.3.4', '::fffe:1.2.3.4'],
    ['1::ffff:1.2.3.4', '1::ffff:1.2.3.4'],
    ['0:0:0:0:1:ffff:102:304', '0:0:0:0:1:ffff:102:304'],
    ['unknown', undefined],
    ['', undefined],
    ['1.2.3.4:x', undefined],
    ['x1.2.3.4:80', undefined],
    ['1.2.3.4:80x', undefined],
    ['[::1', undefined],
    ['[::1]x', undefined],
    ['x[::1]', undefined],
    ['[::1]:x', undefined],
    ['"1.2.3.4', undefined],
    ['1.2.3.256', undefined],
  ]) {
    t.is(plainAddress(text!), plain, text);
  }
});

test('An IPv6 address counts as its network of 64 bits, wherever its zeros are left out', (t) => {
  for (const [address, key] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['1:2:3::7:8', '1:2:3:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['1.2.3.4', '1.2.3.4'],
    ['whatever', 'whatever'],
  ] as const) {
    t.is(limitKey(address), key, address);
  }
});

test('trustProxy may have addresses, networks and unix, and nothing else', (t) => {
  for (const entry of ['unix', '1.2.3.4', '10.0.0.0/8', '1.2.3.4/32', '0.0.0.0/0', '::1', 'fd00::/8', '::1/128']) {
    t.true(isProxy(entry), entry);
  }
  for (const entry of [
    '',
    'Unix',
    '1.2.3',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/x',
    '10.0.0.0/8x',
    '10.0.0.0/x8',
    '10.0.0.0/8/8',
    '10.0.0.0/0008',
    '/8',
    'proxy.local',
  ]) {
    t.false(isProxy(entry), entry);
  }
});

test('A network is all of its addresses and no other, and a Unix socket is trusted by its own name alone', (t) => {
  const trusted = new TrustedProxies(['10.1.0.0/16', 'fd00::/8', '1.2.3.4']);
  for (const peer of ['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', 'fd12::1', '1.2.3.4', '1.2.3.4:80'])
    t.true(trusted.includes(peer), peer);
  for (const peer of ['10.0.255.255', '10.2.0.0', 'fe00::1', '1.2.3.5', 'unknown', undefined])
    t.false(trusted.includes(peer), peer);
  t.true(new TrustedProxies(['unix']).includes(undefined));
  t.false(new TrustedProxies(['unix']).includes('1.2.3.4'));
  t.false(new TrustedProxies([]).includes(undefined));
});

test('The nearest address that is no trusted proxy is the client, with the scheme that its proxy saw', (t) => {
  const sender = (forwarded: string | undefined, scheme?: string, peer = '10.0.0.1', entries = ['10.0.0.0/8']) =>
    new TrustedProxies(entries).sender(peer, (name) =>
      name === 'x-forwarded-for' ? forwarded : name === 'x-forwarded-proto' ? scheme : undefined,
    );
  t.deepEqual(sender('1.1.1.1, 2.2.2.2', 'https'), { address: '2.2.2.2', secure: true });
  t.deepEqual(sender('1.1.1.1, 10.0.0.2, 10.0.0.3', 'https, http, http'), { address: '1.1.1.1', secure: true });
  t.deepEqual(sender('1.1.1.1, 2.2.2.2, 10.0.0.3', 'https, http, https'), { address: '2.2.2.2', secure: false });
  t.deepEqual(sender('10.0.0.2, 10.0.0.3', 'https, http'), { address: '10.0.0.2', secure: true });
  t.deepEqual(sender('unknown, 10.0.0.3', 'https, http'), { address: '10.0.0.3', secure: false });
  t.deepEqual(sender('1.1.1.1, unknown', 'https, http'), { address: '10.0.0.1', secure: false });
  t.deepEqual(sender(undefined, undefined), { address: '10.0.0.1', secure: undefined });
  t.deepEqual(sender(' , 1.1.1.1 ,', 'HTTPS'), { address: '1.1.1.1', secure: true });
  t.deepEqual(sender('1.1.1.1', 'http, https'), { address: '1.1.1.1', secure: true });
  t.deepEqual(sender('1.1.1.1', 'https', '::FFFF:11.0.0.1'), { address: '11.0.0.1', secure: undefined });
  t.deepEqual(sender('1.1.1.1', 'https', 'not known'), { address: 'not known', secure: undefined });
  t.is(
    new TrustedProxies([]).isSecure('10.0.0.1', () => 'https'),
    undefined,
  );
  t.is(
    new TrustedProxies(['10.0.0.1']).isSecure('10.0.0.1', () => 'https'),
    true,
  );
});
