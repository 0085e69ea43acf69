import test from 'ava';
import { LazyEndpoint } from '../../src/http/endpoints/lazy.js';

const incoming = {} as never;

test('An endpoint whose code could not be loaded is tried again, and holds no stop up', async (t) => {
  let loads = 0;
  const endpoint = new LazyEndpoint({ path: 'metrics', methods: ['GET'] }, async () => {
    loads += 1;
    if (loads === 1) throw new Error('the file is gone');
    return { path: 'metrics', methods: ['GET'], respond: async () => ({ status: 200, headers: {}, body: '' }) };
  });
  await t.throwsAsync(endpoint.respond(incoming), { message: 'the file is gone' });
  await t.notThrowsAsync(endpoint.stop());
  t.like(await endpoint.respond(incoming), { status: 200 });
});
