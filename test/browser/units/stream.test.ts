import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import { openStream } from '../../../src/browser/stream.js';
import type { State } from '../../../src/browser/types.js';
import { LOADED, settle, simulatePage } from './simulated-page.js';

/** A stream whose owner is the test; a random number is what `chance` says. */
async function open(t: ExecutionContext, address = async () => 'http://localhost/sse/?heartbeat=1', init = {}) {
  const page = simulatePage(t);
  const random = mock.method(Math, 'random', () => said.chance);
  t.teardown(() => random.mock.restore());
  const said = {
    chance: 1,
    /** What the owner answers to each frame. */
    answer: undefined as false | number | undefined,
    frames: [] as [data: string, id: string][],
    states: [] as State[],
    errors: [] as (Event & { error?: unknown })[],
    onFrame() {},
  };
  const stream = openStream(address, init, {
    frame(data, id) {
      said.frames.push([data, id]);
      said.onFrame();
      return said.answer;
    },
    error: (error) => said.errors.push(error),
    state: (state) => said.states.push(state),
  });
  await settle();
  return { page, stream, said };
}

test.serial(
  'A stream that is cut off says when it tries again: within the first wait, doubled each time',
  async (t) => {
    const { page, said } = await open(t);
    t.deepEqual(said.states, [{ state: 'connecting' }]);
    for (const wait of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      said.states.length = 0;
      page.source.fail();
      t.deepEqual(said.states, [{ state: 'waiting', at: Date.now() + wait }]);
      await page.pass(wait - 1);
      t.is(said.states.length, 1);
      await page.pass(1);
      t.deepEqual(said.states[1], { state: 'connecting' });
    }
    t.is(said.errors.length, 7);
    said.chance = 0.25;
    page.source.fail();
    t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 7500 });
  },
);

test.serial(
  'A stream that was open begins with the first wait again, and the server may say how long that is',
  async (t) => {
    const { page, said, stream } = await open(t);
    for (let n = 0; n < 3; n += 1) {
      page.source.fail();
      stream.look();
      await settle();
    }
    page.source.frame('open');
    page.source.fail();
    t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 1000 });
    stream.look();
    await settle();
    stream.pace(undefined, 300);
    stream.pace();
    page.source.frame('open');
    page.source.fail();
    t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 300 });
  },
);

test.serial('A frame has the id that it came with, and none where it shows that of the one before it', async (t) => {
  const { page, said } = await open(t);
  page.source.frame('a', '1-a');
  page.source.frame('b');
  page.source.frame('c', '2-a');
  page.source.fail();
  await page.pass(1000);
  page.source.frame('d', '2-a');
  t.deepEqual(said.frames, [
    ['a', '1-a'],
    ['b', ''],
    ['c', '2-a'],
    ['d', '2-a'],
  ]);
});

test.serial('Where no address can be made, the attempt has failed with that error, and another follows', async (t) => {
  let cause: Error | undefined = new Error('no session');
  const { page, said } = await open(t, async () => {
    if (cause) throw cause;
    return 'http://localhost/sse/';
  });
  t.deepEqual(
    said.errors.map(({ type }) => type),
    ['error'],
  );
  t.is(said.errors[0]!.type, 'error');
  t.is(said.errors[0]!.error, cause);
  t.deepEqual(said.states.at(-1), { state: 'waiting', at: LOADED + 1000 });
  cause = undefined;
  await page.pass(1000);
  t.is(page.sources.length, 1);
});

test.serial('An address that is no URL is a failed attempt as well', async (t) => {
  const { page, said } = await open(t, async () => 'no address');
  t.is(said.states.at(-1)!.state, 'waiting');
  t.deepEqual(
    said.errors.map(({ type }) => type),
    ['error'],
  );
  t.is(page.sources.length, 0);
});

for (const late of ['made', 'refused'] as const) {
  test.serial(
    `A stream that is closed before its address is ${late} is not opened, and tells nothing more`,
    async (t) => {
      let settled: Record<typeof late, () => void> | undefined;
      const address = () =>
        new Promise<string>((resolve, reject) => {
          settled = { made: () => resolve('http://localhost/sse/'), refused: () => reject(new Error('too late')) };
        });
      const { page, said, stream } = await open(t, address);
      stream.close();
      settled![late]();
      await settle();
      t.is(page.sources.length, 0);
      t.deepEqual([said.errors, said.states], [[], [{ state: 'connecting' }]]);
    },
  );
}

test.serial('The token may take ten seconds, and the answer ten more', async (t) => {
  let resolve: ((address: string) => void) | undefined;
  const address = () =>
    new Promise<string>((next) => {
      resolve = next;
    });
  const { page, said, stream } = await open(t, address);
  await page.pass(10_000);
  stream.tick(false);
  t.is(said.states.length, 1);
  resolve!('http://localhost/sse/');
  await settle();
  await page.pass(10_000);
  stream.tick(true);
  t.is(said.states.length, 1, 'a jump of the clock is no reason to give up what is not open yet');
  await page.pass(1);
  stream.tick(false);
  t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 1000 });
  t.is(page.sources[0]!.readyState, 2);
  stream.tick(false);
  stream.tick(true);
  t.is(said.errors.length, 1, 'while it waits nothing is due');
  await page.pass(1000);
  await page.pass(10_001);
  stream.tick(false);
  t.is(said.errors.length, 2, 'the token did not come');
  t.true(said.errors.every(({ type }) => type === 'error'));
  t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 2000 });
});

test.serial('An open stream that is silent for two and a half intervals is asked for anew at once', async (t) => {
  const { page, said, stream } = await open(t);
  page.source.frame('open');
  stream.tick(false);
  await page.pass(36_000);
  stream.tick(false);
  stream.look();
  t.is(page.sources.length, 1, 'how often it sends is not known');
  stream.pace(4000);
  page.source.frame('alive');
  await page.pass(10_000);
  stream.tick(false);
  t.is(page.sources.length, 1);
  await page.pass(1);
  stream.tick(false);
  await settle();
  t.is(page.sources.length, 2);
  t.deepEqual(said.states.slice(1), [{ state: 'waiting', at: Date.now() }, { state: 'connecting' }]);
  t.deepEqual(
    said.errors.map(({ type }) => type),
    ['error'],
  );
  page.source.frame('open');
  stream.tick(true);
  await settle();
  t.is(page.sources.length, 3, 'and when the machine was asleep');
});

test.serial(
  'A look at a stream that was silent for longer than an interval, or than it says, asks for it anew',
  async (t) => {
    const { page, stream } = await open(t);
    stream.look(0);
    await page.pass(100);
    stream.look(0);
    t.is(page.sources.length, 1, 'it is not open yet');
    stream.pace(4000);
    page.source.frame('open');
    for (const [silence, passes] of [
      [undefined, 4000],
      [1000, 1000],
    ] as const) {
      const before = page.sources.length;
      page.source.frame('alive', `${before}-a`);
      await page.pass(passes);
      stream.look(silence);
      await settle();
      t.is(page.sources.length, before);
      await page.pass(1);
      stream.look(silence);
      await settle();
      t.is(page.sources.length, before + 1);
    }
  },
);

test.serial(
  'An answer that is not what was asked for is a failed attempt; one that may become so has its time',
  async (t) => {
    const { page, said, stream } = await open(t);
    said.answer = false;
    page.source.frame('wrong', '1-a');
    t.is(said.states.at(-1)!.state, 'waiting');
    t.deepEqual(
      said.errors.map(({ type }) => type),
      ['error'],
    );
    await page.pass(1000);
    said.answer = 500;
    page.source.frame('perhaps', '1-b');
    await page.pass(500);
    stream.tick(true);
    stream.look(0);
    t.deepEqual(
      said.errors.map(({ type }) => type),
      ['error'],
    );
    await page.pass(1);
    stream.tick(false);
    t.deepEqual(said.states.at(-1), { state: 'waiting', at: Date.now() + 2000 }, 'it was never open');
  },
);

test.serial('A frame whose owner closes the stream is the last word', async (t) => {
  const { page, said, stream } = await open(t);
  said.onFrame = () => stream.close();
  said.answer = false;
  page.source.frame('end', '1-a');
  t.deepEqual([said.errors.length, said.states.length], [0, 1]);
  t.is(page.sources[0]!.readyState, 2);
});

test.serial('The status of a refused stream is not told once another attempt has begun', async (t) => {
  let answer: ((response: Response) => void) | undefined;
  const canceled: string[] = [];
  const asked: RequestInit[] = [];
  const { fetch } = globalThis;
  Object.assign(globalThis, {
    fetch: (_: string, init: RequestInit) => {
      asked.push(init);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  });
  t.teardown(() => Object.assign(globalThis, { fetch }));
  const init = { withCredentials: false };
  const { page, said, stream } = await open(t, undefined, init);
  t.is(page.source.init, init);
  page.source.fail();
  t.is(asked.length, 0, 'it was cut off, and not refused');
  stream.look();
  await settle();
  const response = () => new Response(new ReadableStream({ cancel: () => void canceled.push('') }), { status: 503 });
  page.source.fail(true);
  const waits = said.states.at(-1)!;
  answer!(response());
  await settle();
  t.deepEqual(said.states.at(-1), { ...waits, state: 'refused', status: 503 } as State);
  t.is(canceled.length, 1, 'what is answered is not read');
  t.is(asked[0]!.credentials, 'same-origin');
  t.true(asked[0]!.signal instanceof AbortSignal);
  stream.look();
  await settle();
  page.source.fail(true);
  stream.look();
  answer!(response());
  await settle();
  t.is(said.states.at(-1)!.state, 'connecting');
});
