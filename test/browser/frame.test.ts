import test from 'ava';
import { parseFrame, rowsOf } from '../../src/browser/frame.js';
import { detailsOf, logging, logOf, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

test('An id that JavaScript cannot hold is the text that was sent: two rows never have one name', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  const names = ['djr:o:9007199254740992', 'djr:o:9007199254740993', 'djr:o:7'];
  await page.goto(server.page(logging(...names) + scriptTag()));
  await server.connected(1);
  server.send('{":id": 9007199254740992, "type": "o"}', '1-a');
  server.send('{":id": 9007199254740993, "type": "o"}', '2-a');
  server.send('{":id": 7, ":old_id": 9007199254740993, "type": "o"}', '3-a');
  await waitForEvent(page, 'djr:o:7');
  t.deepEqual(
    (await logOf(page)).map(([name]) => name),
    [names[0], names[1], names[2], names[1]],
  );
  t.deepEqual(await detailsOf(page, names[0]!), [{ ':id': '9007199254740992', type: 'o' }]);
});

for (const [text, rows] of [
  ['{":id": 9007199254740991}', [9007199254740991]],
  ['{":id":-9007199254740993}', ['-9007199254740993']],
  [
    '{"a": {":id": 1}, "b": [{":id": 2}], "c": "\\":id\\": 3, {", ":id" : 12345678901234567890 , "d": {":id": 4}}',
    ['12345678901234567890'],
  ],
  ['{":id": 1.50}', ['1.50']],
  ['{":id": 1, ":id": 9007199254740993}', ['9007199254740993']],
  ['{"\\u003aid": 9007199254740993}', ['9007199254740993']],
  ['{":id": 1e400}', ['1e400']],
  ['{":id": "9007199254740993"}', ['9007199254740993']],
  ['{":id": null}', []],
  ['{":id": 0, ":old_id": "x"}', [0, 'x']],
  ['{}', []],
] as [string, unknown[]][]) {
  test(`The rows of ${text}`, (t) => {
    t.deepEqual(rowsOf(parseFrame(text)), rows);
  });
}
