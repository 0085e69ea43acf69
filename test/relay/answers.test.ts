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
    source: { ping: () => hold(1) },
    rowOf: () => ({ write: () => hold(undefined), remove: () => hold(undefined) }),
  };
  const answers = new Answers(options as unknown as AnswersOptions);
  answers.start();
  const ask = (what: string, body: unknown = {}) => asked.get(what)!(JSON.stringify(body));
  return { ask, held };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

test('However many edges report at once, two statements run for them, and all are answered', async (t) => {
  const { ask, held } = busySource();
  const reports = Array.from({ length: 40 }, (_, n) =>
    ask('report', { instance: `edge-${n}`, host: 'h', reading: {} }),
  );
  for (let done = 0; done < 40; done += held.splice(0).length) {
    await turns();
    t.true(held.length <= 2, `${held.length} at once`);
    t.not(held.length, 0);
    for (const go of held) go();
  }
  t.deepEqual(new Set(await Promise.all(reports)), new Set(['{"value":null}']));
});

test('While the database does not answer, edges that report are refused beyond a thousand that wait', async (t) => {
  const { ask, held } = busySource();
  const reports = Array.from({ length: 1003 }, (_, n) =>
    ask('report', { instance: `edge-${n}`, host: 'h', reading: {} }),
  );
  const { error } = JSON.parse((await reports.at(-1))!);
  t.is(error.code, 'DJR_DATABASE');
  t.is(held.length, 2);
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
