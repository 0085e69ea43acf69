import test from 'ava';
import fc from 'fast-check';
import { cases } from '../helpers/fuzz.js';
import { startApp } from '../helpers/server.js';

const headerValue = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,60}$/);
const nearlyId = fc
  .tuple(fc.nat(), fc.array(fc.stringMatching(/^[0-9a-z]{1,11}$/), { minLength: 1, maxLength: 9 }))
  .map(([head, parts]) => `${head}-${parts.join('.')}`);
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  nearlyId,
  fc.constantFrom('', '1', 'a,b', '5:5:', '9:3:', '3:9:4,5', 'x'.repeat(3000)),
);
const query = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom('types', 'named', 'since', 'lastEventId', 'shareKey', 'user'), fc.string()),
    fc.oneof(value.map(encoded), fc.stringMatching(/^[%0-9a-f&=+]{0,20}$/)),
  ),
  { maxLength: 5 },
);
const anyRequest = fc.record({
  path: fc.oneof(
    { arbitrary: fc.constant('sse/'), weight: 8 },
    { arbitrary: fc.webPath().map((path) => path.slice(1)), weight: 1 },
  ),
  query,
  method: fc.oneof(
    { arbitrary: fc.constant('GET'), weight: 9 },
    { arbitrary: fc.constantFrom('POST', 'HEAD'), weight: 1 },
  ),
  headers: fc.dictionary(
    fc.constantFrom('last-event-id', 'origin', 'accept', 'cookie', 'x-user', 'accept-encoding', 'host'),
    fc.oneof(headerValue, nearlyId),
  ),
});

/** Without lone surrogates, which have no encoding. */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, ''));
}

test('Whatever a request asks for, it gets a stream or a refusal, never a failure', async (t) => {
  const app = await startApp(t, { authenticate: (request) => request.headers.get('x-user') || null });
  const sound = async ({
    path,
    query,
    method,
    headers,
  }: typeof anyRequest extends fc.Arbitrary<infer R> ? R : never) => {
    const search = query.map(([name, text]) => `${encoded(name)}=${text}`).join('&');
    const response = await app.realtime.fetch(
      new Request(`${app.origin}/realtime/${path}?${search}`, { method, headers }),
    );
    await response.body?.cancel();
    t.true(
      [200, 204, 304, 400, 403, 404, 405, 414].includes(response.status),
      `${response.status} for ${path}?${search}`,
    );
  };
  await fc.assert(fc.asyncProperty(anyRequest, sound), cases(200));
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'error'),
    [],
  );
});
