import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { createDatabase } from '../helpers/database.js';
import { openStream } from '../helpers/stream.js';

const page = await readFile(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** Runs the page's snippet that imports this, with what a reader's app has around it. @returns its origin */
async function run(t: ExecutionContext, module: string, around: (code: string) => string) {
  const snippet = snippets.find((code) => code.includes(`from '${module}'`))!;
  const { url, query } = await createDatabase(t);
  const child = spawn(process.execPath, ['--input-type=module', '-e', around(snippet)], {
    env: { ...process.env, DATABASE_URL: url, SESSION_SECRET: 'test' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const port = await new Promise<string>((resolve) =>
    child.stdout.on('data', (chunk) => resolve(/port (\d+)/.exec(String(chunk))?.[1] ?? '')),
  );
  return { origin: `http://127.0.0.1:${port}`, query };
}

const said = "const { port } = server.address(); console.log('port ' + port);";

/** Ada's event reaches her stream, and not the one of nobody. */
async function check(
  t: ExecutionContext,
  { origin, query }: Awaited<ReturnType<typeof run>>,
  headers: Record<string, string>,
) {
  const url = `${origin}/realtime/sse/`;
  const [ada, nobody] = [await openStream(t, url, { headers }), await openStream(t, url)];
  await query("select djr.publish('ada', 'own'), djr.publish_public('end')");
  for (const stream of [ada, nobody]) await stream.event('end');
  t.deepEqual(ada.types, ['own', 'end']);
  t.deepEqual(nobody.types, ['end']);
}

test('the recipe for express-session works with the session of a login', async (t) => {
  const app = await run(
    t,
    'express-session',
    (code) => `${code}
      app.post('/login', (req, res) => { req.session.userId = 'ada'; res.end(); });
      const server = app.listen(0, '127.0.0.1', () => { ${said} });`,
  );
  const login = await fetch(`${app.origin}/login`, { method: 'POST' });
  await check(t, app, { cookie: login.headers.get('set-cookie')!.split(';')[0]! });
});
