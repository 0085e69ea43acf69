import test, { type ExecutionContext } from 'ava';
import type { BrowserContext } from 'playwright-core';
import { startChatroom } from '../../examples/chatroom/server.js';
import { createDatabase } from '../helpers/database.js';
import { until, useChromium } from './helpers/chromium.js';

const newContext = useChromium();

async function enter(t: ExecutionContext, url: string, name: string, context?: BrowserContext) {
  const page = await (context ?? (await newContext(t))).newPage();
  await page.goto(url);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: /Enter/ }).click();
  await page.getByText('on-line').waitFor();
  return {
    page,
    log: page.getByRole('log'),
    async say(text: string, to = '') {
      await page.getByLabel('To', { exact: true }).fill(to);
      const line = page.getByLabel('Your message');
      await line.fill(text);
      await line.press('Enter');
      await until('the line is empty', async () => (await line.inputValue()) === '');
    },
  };
}

test('two guests chat, a whisper reaches one, and psql has a say', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const ann = await enter(t, room.url, 'Ann');
  const bob = await enter(t, room.url, 'Bob');
  const eve = await enter(t, room.url, 'Eve');
  await ann.log.getByText('Eve has entered the room').waitFor();
  await ann.log.getByText('Welcome! Only you can see this.').waitFor();

  await ann.say('hello');
  for (const { log } of [ann, bob, eve]) await log.getByText('Ann: hello').waitFor();
  await bob.say('<b>a secret</b>', 'Ann');
  for (const { log } of [ann, bob]) await log.getByText('<b>a secret</b>').waitFor();

  await database.query(
    `select djr.publish_topic('room:lobby', 'chat_message', '{"name": "psql", "text": "hi from SQL"}')`,
  );
  for (const { log } of [ann, bob, eve]) await log.getByText('psql: hi from SQL').waitFor();
  t.is(await eve.log.getByText('a secret').count(), 0);
  t.is(await ann.page.locator('.digits .hidden').textContent(), '3');
});

test('the others see who is typing, until it is said; it has no row, and of a whisper nothing is seen', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const ann = await enter(t, room.url, 'Ann');
  const bob = await enter(t, room.url, 'Bob');
  await ann.page.getByLabel('Your message').pressSequentially('hel');
  await bob.page.getByText('Ann is typing…').waitFor();
  t.is(await ann.page.getByText('is typing…').count(), 0);
  await ann.say('hello');
  await bob.log.getByText('Ann: hello').waitFor();
  await bob.page.getByText('is typing…').waitFor({ state: 'detached' });
  await bob.page.getByLabel('To', { exact: true }).fill('Eve');
  await bob.page.getByLabel('Your message').pressSequentially('psst');
  await bob.say('psst', 'Eve');
  await bob.say('that was it');
  await ann.log.getByText('that was it').waitFor();
  t.deepEqual(await database.query("select from djr.event where type = 'typing'"), []);
});

test('two windows of one browser are two guests, who stay who they are', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const browser = await newContext(t);
  const ann = await enter(t, room.url, 'Ann', browser);
  const bob = await enter(t, room.url, 'Bob', browser);
  await ann.page.reload();
  await ann.page.getByText('on-line').waitFor();
  t.is(await ann.page.locator('.you').textContent(), 'Ann');

  await ann.say('psst', 'Bob');
  await bob.log.getByText('Ann whispers to you: psst').waitFor();
  await bob.say('what?');
  await ann.log.getByText('Bob: what?').waitFor();
  await bob.say('nothing to Ann', 'Eve');
  await bob.say('that was it');
  await ann.log.getByText('that was it').waitFor();
  t.is(await ann.log.getByText('nothing to Ann').count(), 0, 'a whisper is for its window only');
});

test('the address of a guest is enough to be that guest', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const page = await (await newContext(t)).newPage();
  await page.goto(`${room.url}?as=Ann`);
  await page.getByText('on-line').waitFor();
  t.is(await page.locator('.you').textContent(), 'Ann');
});

test('a member of the back room hears what is said and who comes; nobody else does, nor do former members', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const browser = await newContext(t);
  const [ann, bob, eve] = [
    await enter(t, room.url, 'Ann', browser),
    await enter(t, room.url, 'Bob', browser),
    await enter(t, room.url, 'Eve', browser),
  ];
  await ann.page.getByRole('listitem').filter({ hasText: 'Eve' }).waitFor();

  for (const { page } of [ann, bob, eve]) await page.getByRole('link', { name: 'Back room' }).click();
  await ann.page.getByRole('button', { name: 'Knock' }).click();
  await ann.page.getByText('on-line').waitFor();
  await bob.page.getByText('on-line').waitFor();
  await eve.page.getByText('on-line').waitFor();
  await ann.page.getByLabel('Let in').fill('Bob');
  await ann.page.getByRole('button', { name: 'Open' }).click();
  await bob.page.getByLabel('Let in').waitFor();
  await bob.page.getByText('on-line').waitFor();
  await ann.page.getByRole('listitem').filter({ hasText: 'Bob' }).waitFor();

  await ann.say('a secret');
  await bob.log.getByText('Ann: a secret').waitFor();
  t.is(await eve.page.getByText('a secret').count(), 0);
  t.is(await eve.page.getByRole('button', { name: 'Knock' }).count(), 1);

  // In another window, so that this one has to be told.
  const second = await enter(t, room.url, 'Bob', browser);
  await second.page.getByRole('link', { name: 'Back room' }).click();
  await second.page.getByRole('button', { name: 'give your key back' }).click();
  await bob.page.getByRole('button', { name: 'Knock' }).waitFor();
});
