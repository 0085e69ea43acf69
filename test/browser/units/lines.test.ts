import test, { type ExecutionContext } from 'ava';
import { createLines, type Line } from '../../../src/browser/lines.js';
import { settle, simulatePage } from './simulated-page.js';

/** Lines of a page whose owner is the test. */
async function open(t: ExecutionContext) {
  const page = simulatePage(t);
  const told: string[] = [];
  const asked: Line[] = [];
  const got: [line: Line, text: string, id: string][] = [];
  const lines = createLines(
    {
      async address(line) {
        asked.push(line);
        return `http://localhost/sse/?line=${asked.length}`;
      },
      frame(line, text, id) {
        got.push([line, text, id]);
        return undefined;
      },
      error: ({ type }) => told.push(type),
      state: ({ state }) => told.push(state),
    },
    { withCredentials: true },
  );
  lines.open();
  await settle();
  return { page, lines, told, asked, got };
}

/** How many of the page's streams are not closed. */
const openOnes = ({ sources }: ReturnType<typeof simulatePage>) =>
  sources.flatMap(({ readyState }, i) => (readyState === 2 ? [] : [i]));

test.serial('A page has one stream, and is told what that does; opened anew, it is another', async (t) => {
  const { page, lines, told, asked, got } = await open(t);
  t.deepEqual(told, ['connecting']);
  t.is(lines.current, asked[0]);
  t.deepEqual(page.source.init, { withCredentials: true });
  page.source.frame('a', '1-a');
  t.deepEqual(got, [[asked[0]!, 'a', '1-a']]);
  const { current } = lines;
  lines.open();
  await settle();
  t.not(lines.current, current);
  t.deepEqual(openOnes(page), [1]);
  lines.close();
  t.is(lines.current, undefined);
  t.deepEqual(openOnes(page), []);
});

test.serial(
  'The next stream stays beside the current one until it stands; of it the page is told nothing',
  async (t) => {
    const { page, lines, told, asked } = await open(t);
    const first = lines.current!;
    lines.stand(first);
    t.true(first.stands);
    told.length = 0;
    lines.replace();
    lines.replace();
    await settle();
    t.deepEqual(openOnes(page), [0, 1], 'one next stream');
    t.is(lines.current, first);
    page.sources[1]!.fail();
    t.deepEqual(told, []);
    t.true(first.stands);
    await page.pass(1000);
    t.deepEqual(openOnes(page), [0, 2]);
    const next = asked[1]!;
    lines.stand(next);
    t.is(lines.current, next);
    t.deepEqual(openOnes(page), [2]);
    t.is(next.failures, 0);
    lines.replace();
    await settle();
    t.deepEqual(openOnes(page), [2, 3], 'it may be replaced in its turn');
  },
);

test.serial(
  'A next stream that fails thrice takes the place of the current one: the browser may have no room',
  async (t) => {
    const { page, lines, told } = await open(t);
    lines.stand(lines.current!);
    lines.replace();
    await settle();
    told.length = 0;
    for (const failures of [1, 2, 3]) {
      t.deepEqual(openOnes(page).length, 2);
      t.deepEqual(told, []);
      page.sources.at(-1)!.fail();
      if (failures < 3) await page.pass(4000);
    }
    t.deepEqual(told, ['waiting', 'error']);
    t.deepEqual(openOnes(page), []);
    await page.pass(4000);
    t.is(openOnes(page).length, 1);
  },
);

test.serial('Failures before a stream stood are forgotten', async (t) => {
  const { page, lines, asked } = await open(t);
  lines.replace();
  await settle();
  const next = asked[1]!;
  for (let n = 0; n < 2; n += 1) {
    page.sources.at(-1)!.fail();
    await page.pass(4000);
  }
  t.is(next.failures, 2);
  lines.stand(next);
  t.is(next.failures, 0);
});

test.serial('Where the current stream is cut off, the next one takes its place and is tried at once', async (t) => {
  const { page, lines, told, asked } = await open(t);
  lines.stand(lines.current!);
  lines.replace();
  await settle();
  page.sources[1]!.fail();
  told.length = 0;
  page.sources[0]!.fail();
  t.is(lines.current, asked[1]);
  t.deepEqual(told.slice(0, 2), ['connecting', 'error'], 'it does not wait: the other one is on its way');
  await settle();
  t.deepEqual(openOnes(page), [2]);
});

test.serial('A new attempt is not answered, accepts nothing and does not stand', async (t) => {
  const { page, lines } = await open(t);
  const line = lines.current!;
  lines.stand(line);
  Object.assign(line, { answered: true, accept() {} });
  page.source.fail();
  t.false(line.stands);
  await page.pass(1000);
  t.like(line, { answered: false, accept: undefined, stands: false, over: [] });
});

test.serial('A look and a tick are for both streams', async (t) => {
  const { page, lines } = await open(t);
  page.source.frame('open', '1-a');
  lines.replace();
  await settle();
  await page.pass(100);
  lines.look(1000);
  lines.tick(false);
  await settle();
  t.deepEqual(openOnes(page), [0, 1]);
  page.sources[1]!.fail();
  lines.look();
  await settle();
  t.deepEqual(openOnes(page), [0, 2], 'the next one waited for its attempt');
  lines.close();
  lines.look();
  lines.tick(true);
  await page.pass(5000);
  t.deepEqual(openOnes(page), []);
});

for (const wake of ['tick', 'look'] as const) {
  test.serial(`A stream that a ${wake} would ask for anew is left to the next one that is on its way`, async (t) => {
    const { page, lines, asked } = await open(t);
    page.source.frame('open', '1-a');
    lines.replace();
    await settle();
    await page.pass(100);
    if (wake === 'tick') lines.tick(true);
    else lines.look(0);
    await settle();
    t.is(lines.current, asked[1]);
    t.deepEqual(openOnes(page), [1], 'no stream is left that nobody closes');
    lines.close();
    t.deepEqual(openOnes(page), []);
  });
}
