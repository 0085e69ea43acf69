import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { openStream } from '../helpers/stream.js';

test("README's Express app runs as it stands, and its user gets their event", async (t) => {
  const database = await createDatabase(t);
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const snippet = [...readme.matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, code]) => code!)
    .find((code) => code.includes("'express'"))!;
  // What is the reader's: who the user is, the port, and here a word that it listens.
  const code = `const userOf = async (cookie) => (cookie === 'session=42' ? { id: 42 } : null);
${snippet.replace('app.listen(3000)', "const server = app.listen(0, () => console.log('port ' + server.address().port))")}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [, port] = await new Promise<RegExpExecArray>((resolve) =>
    child.stdout.on('data', (chunk) => resolve(/port (\d+)/.exec(String(chunk))!)),
  );
  t.regex(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /<script src="\/realtime\/djr\.js"/);
  const stream = await openStream(t, `http://127.0.0.1:${port}/realtime/sse/`, { headers: { cookie: 'session=42' } });
  await database.query(`select djr.publish(42, 'order_paid', '{":id": 7, "total": "19.90"}')`);
  t.like((await stream.event('order_paid')).data, { ':id': 7, total: '19.90' });
});
