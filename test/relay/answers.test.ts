import test from 'ava';
import { Answers, type AnswersOptions } from '../../src/source/nats/answers.js';

/** A source whose statements wait until the test lets them go; edges ask it by the name of what they want. */
function busySource() {
  const asked = new Map<string, (text: string) => Promise<string | undefined>>();
  const held: (() => void)[] = [];
  const hold = <T>(value: T) => new Promise<T>((resolve) => held.push(() => resolve(value)));
  const subjects = { ask: (what: string) => what };
  const answer = (
    subject: string,
    _group: string | undefined,
    respond: (text: string) => Promise<string | undefined>,
  ) => {
    asked.set(subject, respond);
    return () => asked.delete(subject);
  };
  const options = {
    engine: { subjects, answer },
    source: { ping: () => hold(1), acknowledge: () => hold([true]), record: () => hold(1) },
    presenceOf: () => ({ report: () => hold(undefined) }),
    rowOf: () => ({ write: () => hold(undefined), remove: () => hold(undefined) }),
  };
  const answers = new Answers(options as unknown as AnswersOptions);
  answers.start();
  const ask = (what: string, body: unknown = {}) => asked.get(what)!(JSON.stringify(body));
  return { ask, held };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

/** What edges tell of themselves, no matter who waits for it. */
const TOLD = ['report', 'record', 'presence', 'withdraw'];

for (const edges of [2, 32]) {
  test(`Whatever ${edges} edges tell at once, one connection to the database is enough, and all are answered`, async (t) => {
    const { ask, held } = busySource();
    const told = Array.from({ length: edges }, (_, n) =>
      TOLD.map((what) => ask(what, { instance: `edge-${n}`, host: 'h', reading: {} })),
    ).flat();
    for (let done = 0; done < told.length; done += 1) {
      await turns();
      t.is(held.length, 1);
      held.pop()!();
    }
    t.deepEqual(new Set(await Promise.all(told)), new Set(['{"value":null}', '{"value":1}']));
  });
}

test('An acknowledgement does not wait for what edges tell', async (t) => {
  const { ask, held } = busySource();
  const told = [ask('report', { instance: 'edge' }), ask('record', [])];
  const acknowledged = ask('acknowledge', []);
  await turns();
  t.is(held.length, 2);
  held.pop()!();
  t.is(await acknowledged, '{"value":[true]}');
  for (const answer of told) {
    held.pop()!();
    await answer;
    await turns();
  }
});

test('While the database does not answer, edges that report are refused beyond a thousand that wait', async (t) => {
  const { ask, held } = busySource();
  const reports = Array.from({ length: 1002 }, (_, n) =>
    ask('report', { instance: `edge-${n}`, host: 'h', reading: {} }),
  );
  const { error } = JSON.parse((await reports.at(-1))!);
  t.is(error.code, 'DJR_DATABASE');
  t.is(held.length, 1);
});

test('Edges that ask at once whether the database answers share one look at it', async (t) => {
  const { ask, held } = busySource();
  const first = [ask('ping'), ask('ping'), ask('ping')];
  await turns();
  t.is(held.length, 1);
  held.pop()!();
  t.deepEqual(await Promise.all(first), Array(3).fill('{"value":1}'));
  const next = ask('ping');
  await turns();
  t.is(held.length, 1);
  held.pop()!();
  t.is(await next, '{"value":1}');
});
