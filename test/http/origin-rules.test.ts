import test from 'ava';
import { checkOrigin, isAllowable, Origins } from '../../src/http/guards/origin.js';

test('A page opens a stream of its own host, port included, and of no other that ends or begins alike', (t) => {
  const opens = (origin: string | undefined, host: string | undefined, fetchSite?: string) =>
    checkOrigin({ origin, host, fetchSite }) !== undefined;
  t.true(opens('https://example.com', 'example.com'));
  t.true(opens('http://example.com:8080', 'example.com:8080'));
  t.true(opens('https://example.com:443', 'example.com'));
  t.true(opens('https://example.com', 'example.com:443'), 'a proxy writes the port of https');
  t.true(opens('http://example.com', 'EXAMPLE.com:80'), 'a host has no case');
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
    ['http://example.com', 'example.com:443'],
    ['https://example.com', 'example.com:80'],
    ['https://example.com', 'example.com/'],
    ['https://example.com', 'evil.org@example.com'],
    ['https://undefined', undefined],
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
