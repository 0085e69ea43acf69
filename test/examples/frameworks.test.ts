import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { IN_PLACE } from '../../scripts/frameworks/examples.js';
import { createDatabase } from '../helpers/database.js';
import { login } from '../helpers/login.js';
import { until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

/** A folder with the examples and other versions of their frameworks, which `npm run test:frameworks` names; else this clone. */
const root = process.env.DJR_TEST_EXAMPLES ?? process.cwd();

/** What the page's script tag would ask for. */
function streamOf(page: string, url: string): string {
  const attribute = (name: string) => new RegExp(`data-${name}="([^"]*)"`).exec(page)![1]!;
  const stream = new URL(attribute('endpoint'), url);
  stream.searchParams.set('since', attribute('since'));
  stream.searchParams.set('topic', attribute('topics'));
  stream.searchParams.set('seal', attribute('seal'));
  return stream.href;
}

for (const [name, { start, env }] of Object.entries(IN_PLACE)) {
  test(`${name}: after its login a page hears its user's events and those of a room, and SIGTERM ends all`, async (t) => {
    const database = await createDatabase(t);
    const child = spawn(process.execPath, start.slice(1), {
      cwd: root,
      env: { ...process.env, ...env, PORT: '0', DATABASE_URL: database.url, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until(`${name} listens`, () => said.includes('listening on') || child.exitCode !== null);
    const url = /listening on (http:\S+)/.exec(said)![1]!;

    const cookie = await login(url, 'ann');
    const page = await (await fetch(url, { headers: { cookie } })).text();
    t.regex(page, /ann's orders/);
    t.is((await fetch(new URL('/shop-page.js', url))).status, 200);
    const ann = await openStream(t, streamOf(page, url), { headers: { cookie } });
    t.is(ann.status, 200);
    // Somebody without the login gets neither.
    const stranger = await openStream(t, new URL('/realtime/sse/', url).href);

    const order = (who: string, item: string) =>
      fetch(new URL('/orders', url), {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: who },
        body: new URLSearchParams({ item }),
      });
    t.is((await order(cookie, 'Tea')).status, 303);
    t.like((await ann.event('order_changed')).data, { op: 'insert', item: 'Tea', status: 'new' });
    t.is((await order(await login(url, 'bob'), 'Cake')).status, 303);
    await ann.until('the order of somebody else', () => ann.events.some(({ data }) => data.item === 'Cake'));
    t.deepEqual(
      ann.events.filter(({ data }) => data.item === 'Cake').map(({ data }) => data.type),
      ['order_placed'],
      'of the room, and not of bob',
    );
    t.deepEqual(stranger.events, []);
    const forged = ['login', 'name', 'session', 'sessionId', 'connect.sid', 'koa.sess', 'token'].map(
      (key) => `${key}=ann`,
    );
    t.is((await order(forged.join('; '), 'Tea')).status, 401, 'a login that nobody has given');

    child.kill('SIGTERM');
    t.deepEqual(await once(child, 'exit'), [0, null]);
    await Promise.all([ann.end(), stranger.end()]);
    t.true(ann.retry! > 0, 'the page is told when to come back');
    const left = await database.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'djr'`,
    );
    t.is(left.length, 0);
  });
}
