import { spawnSync } from 'node:child_process';
import test from 'ava';
import { printable, printableLines } from '../../src/lib/printable.js';
import { openAdmin } from '../helpers/admin.js';
import { startApp, until } from '../helpers/server.js';

test('what a terminal or a page acts on is written out; letters and emoji stay', (t) => {
  t.is(printable('a\nb\r\x1b[31mc\x7f\x85'), 'a\\u000ab\\u000d\\u001b[31mc\\u007f\\u0085');
  t.is(
    printable('user\u202egnp.exe\u200b\u2066\ufeff\u2028\u{e0041}'),
    'user\\u202egnp.exe\\u200b\\u2066\\ufeff\\u2028\\u{e0041}',
  );
  t.is(printable('Zoë Привет 你好 ❤️ 👍🏽'), 'Zoë Привет 你好 ❤️ 👍🏽');
  t.is(printableLines('a\n\tb\x1b'), 'a\n\tb\\u001b');
});

const FORGED = 'no\ndjr error: the admin was here\x1b[2K\u202e';

test('an error of a hook cannot forge a line of the log', async (t) => {
  const app = await startApp(t, {
    beforeSend: () => {
      throw new Error(`${FORGED}\n    at forged (evil.js:1:1)`);
    },
  });
  await app.stream();
  await app.realtime.publish({ scope: 'public', type: 'x' });
  await until('the log', () => app.lines.some(({ context }) => context.err));
  const err = app.lines.find(({ context }) => context.err)!.context.err as Error;
  t.is(err.message, 'no\\u000adjr error: the admin was here\\u001b[2K\\u202e\\u000a    at forged (evil.js:1:1)');
  const [first, ...rest] = err.stack!.split('\n');
  t.is(first, `Error: ${err.message}`);
  t.true(rest.length > 0);
  t.true(rest.every((line) => /^ {4}at /.test(line) && !line.includes('evil')));
});

test("without a logger one line of stderr is one line, whatever an error's message is", (t) => {
  const code = `
    import { stderrLogger } from ${JSON.stringify(new URL('../../src/lib/logger.ts', import.meta.url).href)};
    stderrLogger.error({ err: new Error(${JSON.stringify(FORGED)}) }, 'failed');
  `;
  const { stderr } = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  t.is(stderr, 'djr error: failed: no\\u000adjr error: the admin was here\\u001b[2K\\u202e\n');
});

test('the admin shows what is invisible', async (t) => {
  const { see, realtime, db } = await openAdmin(t);
  await db.query("select djr.publish($1::text, 'x', jsonb_build_object('text', $2::text))", [
    'ada\u202e',
    'a\u200bb\u2066',
  ]);
  for (const path of ['', 'events/1/']) {
    const page = await see(path);
    t.true(page.includes('ada\\u202e'), path);
    t.true(page.includes('a\\u200bb\\u2066'), path);
    t.notRegex(page, /[\u202e\u200b\u2066]/);
  }
  const live = await realtime.fetch(
    new Request('http://x/realtime/admin/live/stream/', { headers: { 'x-admin': 'yes' } }),
  );
  const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader();
  await db.query("select djr.publish($1::text, 'x')", ['bob\u202e']);
  let text = '';
  while (!text.includes('bob')) text += (await reader.read()).value;
  t.notRegex(text, /\u202e/);
  await reader.cancel();
});
