import { readFile } from 'node:fs/promises';
import test from 'ava';
import { startApp } from '../helpers/server.js';

test('the SQL of the page of tasks runs as it stands, and its events reach whom they are for', async (t) => {
  const app = await startApp(t);
  const page = await readFile(new URL('../../docs/tasks.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!);
  t.true(blocks.length > 7);
  const buyer = await app.streamOf('42');
  const ann = await app.streamOf('ann');
  for (const block of blocks) {
    if (block.includes('djr.disconnect')) await buyer.count(5);
    await t.notThrowsAsync(app.db.query(block), block);
  }
  await buyer.end();
  t.deepEqual(buyer.types, ['job', 'job', 'notification', 'notification', 'renamed']);
  await ann.event('answer');
  t.deepEqual(ann.types, ['token', 'token', 'answer']);
});
