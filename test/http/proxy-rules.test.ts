import test from 'ava';
import { isProxy, limitKey, plainAddress, TrustedProxies } from '../../src/http/guards/trusted-proxies.js';

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
