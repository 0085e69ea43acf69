import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { adapt, codeBlocks } from '../helpers/document.js';
import { startApp } from '../helpers/server.js';

test('the recipe that asks the app: null for a 401 alone, and 503 whenever the app cannot say who it is', async (t) => {
  const whoami = createServer((request, response) => {
    const sid = /sid=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (sid === 'ada') response.end(JSON.stringify({ id: 'ada' }));
    else if (sid === undefined) response.writeHead(401).end();
    else if (sid === 'page') response.end('<html>Sorry</html>');
    else if (sid === 'cut') request.socket.destroy();
    else response.writeHead(Number(sid), { location: '/login' }).end();
  });
  await new Promise<void>((resolve) => whoami.listen(0, '127.0.0.1', resolve));
  t.teardown(() => whoami.close());
  const [code] = (await codeBlocks('recipes.md', 'js')).filter((block) => block.includes('/whoami'));
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-whoami-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'djr.config.mjs');
  await writeFile(file, adapt(code!, [['127.0.0.1:8080', `127.0.0.1:${(whoami.address() as AddressInfo).port}`]]));
  const { default: options } = await import(pathToFileURL(file).href);
  const app = await startApp(t, options);

  const ada = await app.stream('', { headers: { cookie: 'sid=ada' } });
  const nobody = await app.stream();
  await app.db.query("select djr.publish('ada', 'own'), djr.publish_global('end')");
  await Promise.all([ada.event('end'), nobody.event('end')]);
  t.deepEqual([ada.types, nobody.types], [['own', 'end'], ['end']]);

  for (const sid of ['500', '502', '403', '404', '302', 'page', 'cut']) {
    const stream = await app.stream('', { headers: { cookie: `sid=${sid}` } });
    t.is(stream.status, 503, sid);
    t.is(stream.headers['retry-after'], '5', sid);
  }
  await new Promise((resolve) => whoami.close(resolve));
  whoami.closeAllConnections();
  t.is((await app.stream('', { headers: { cookie: 'sid=ada' } })).status, 503);
});
