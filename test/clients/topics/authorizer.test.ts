import { mock } from 'node:test';
import test from 'ava';
import { Authorizer, type AuthorizerOptions } from '../../../src/clients/topics/authorizer.js';
import type { Answers, Question } from '../../../src/clients/topics/topic-store.js';
import { NoAnswerError } from '../../../src/postgres/ask.js';
import { stayAlive } from '../../helpers/alive.js';
import { recordingLogger } from '../../helpers/server.js';

/** An authorizer whose database is the test; by default everybody may hear what begins with a. */
function open(answer?: (questions: readonly Question[]) => Promise<Answers>, options: Partial<AuthorizerOptions> = {}) {
  const { logger, lines } = recordingLogger();
  const asked: { topics: string[]; milliseconds: number }[] = [];
  const authorizer = new Authorizer({
    store: {
      permissions: () => Promise.reject(new Error('nobody asks for them')),
      authorize(questions, milliseconds) {
        asked.push({ topics: questions.map(({ topic }) => topic), milliseconds });
        return answer ? answer(questions) : Promise.resolve(yes(questions));
      },
    },
    timeout: 1000,
    logger,
    ...options,
  });
  const all = (...topics: string[]) => Promise.all(topics.map((topic) => authorizer.mayHear('ada', topic)));
  return { authorizer, asked, lines, all };
}

const yes = (questions: readonly Question[]): Answers => ({
  allowed: questions.map(({ topic }) => topic.startsWith('a')),
  failure: null,
});

const coded = (code: string) => Object.assign(new Error('it failed'), { code });

test('Questions of one turn are one statement, and each has its own answer', async (t) => {
  const { all, asked, authorizer } = open();
  t.deepEqual(await all('a', 'b', 'ab'), [true, false, true]);
  t.deepEqual(asked, [{ topics: ['a', 'b', 'ab'], milliseconds: 500 }]);
  t.deepEqual(await all('a'), [true]);
  t.is(asked.length, 2);
  t.is(authorizer.failures, 0);
});

test('A statement has 500 questions at most', async (t) => {
  const { all, asked } = open();
  const names = Array.from({ length: 1200 }, (_, n) => `${n % 2 ? 'a' : 'b'}${n}`);
  t.deepEqual(
    await all(...names),
    names.map((name) => name.startsWith('a')),
  );
  t.deepEqual(asked.map(({ topics }) => topics.length).sort(), [200, 500, 500]);
});

test('What comes while a statement hangs is asked beside it; four run at a time, and the rest together', async (t) => {
  const waiting: (() => void)[] = [];
  const { all, asked } = open((questions) => new Promise((resolve) => waiting.push(() => resolve(yes(questions)))));
  const answers: Promise<boolean[]>[] = [];
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  for (let n = 1; n <= 4; n += 1) {
    answers.push(all(`a${n}`));
    await until(() => waiting.length === n);
  }
  answers.push(all('a5'), all('b5'));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.is(asked.length, 4);
  waiting.shift()!();
  await until(() => asked.length === 5);
  t.deepEqual(asked[4]!.topics, ['a5', 'b5']);
  for (const go of waiting) go();
  t.deepEqual(await Promise.all(answers), [[true], [true], [true], [true], [true], [false]]);
});

test('A question that fails costs no other its answer: each is asked again by itself', async (t) => {
  for (const error of [new NoAnswerError(500), coded('P0001'), coded('22P02'), coded('57014')]) {
    const { all, asked, authorizer, lines } = open(async (questions) => {
      if (questions.some(({ topic }) => topic === 'bad')) throw error;
      return yes(questions);
    });
    t.deepEqual(await all('a', 'bad', 'b'), [true, false, false]);
    t.is(asked.length, 4);
    t.true(asked.slice(1).every(({ milliseconds }) => milliseconds > 0 && milliseconds <= 1000));
    t.is(authorizer.failures, 1);
    t.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [['error', 'whether a client may hear a topic could not be decided: it may not']],
    );
  }
});

test('Where the database is away nobody is asked again, and nobody may hear anything', async (t) => {
  for (const error of [
    new Error('away'),
    coded('08006'),
    coded('53300'),
    coded('57P01'),
    coded('ECONNRESET'),
    'away',
  ]) {
    const { all, asked, authorizer } = open(() => Promise.reject(error));
    t.deepEqual(await all('a', 'b'), [false, false]);
    t.is(asked.length, 1);
    t.is(authorizer.failures, 1);
  }
  const { all, asked } = open(() => Promise.reject(coded('P0001')));
  t.deepEqual(await all('a'), [false]);
  t.is(asked.length, 1, 'a question alone has had its time');
});

test('What has no time left is not asked again', async (t) => {
  const { all, asked } = open(() => new Promise((_, reject) => setTimeout(() => reject(new NoAnswerError(1)), 20)), {
    timeout: 10,
  });
  t.deepEqual(await all('a', 'b'), [false, false]);
  t.is(asked.length, 1);
});

test('Only true is a yes, and a question that the database says has failed is logged', async (t) => {
  const { all, authorizer, lines } = open(async () => ({
    allowed: [1, 'true', null, true] as never,
    failure: 'the function failed',
  }));
  t.deepEqual(await all('a', 'b', 'c', 'd', 'e'), [false, false, false, true, false]);
  t.is(authorizer.failures, 1);
  t.is((lines[0]!.context.err as Error).message, 'the function failed');
});

test('The option is asked first; if it says no, or fails, the database is asked', async (t) => {
  stayAlive(t);
  const fails = () => {
    throw new Error('broken');
  };
  for (const [authorizeTopic, expected, failures] of [
    [() => true, 0, 0],
    [async () => true, 0, 0],
    [() => false, 1, 0],
    [() => 1, 1, 0],
    [async () => 'true', 1, 0],
    [fails, 1, 1],
    [async () => fails(), 1, 1],
    [() => new Promise(() => {}), 1, 1],
  ] as const) {
    const options = { authorizeTopic: authorizeTopic as AuthorizerOptions['authorizeTopic'], timeout: 20 };
    const { all, asked, authorizer } = open(undefined, options);
    t.deepEqual(await all('a'), [true]);
    t.is(asked.length, expected);
    t.is(authorizer.failures, failures);
  }
});

/** All that is under way without a timer. */
const turn = async () => {
  for (let n = 0; n < 3; n += 1) await new Promise(setImmediate);
};

test.serial(
  'Beside a statement that hangs questions gather for a moment, until it is answered, or until they are many',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    const waiting: (() => void)[] = [];
    const { all, asked } = open((questions) => new Promise((resolve) => waiting.push(() => resolve(yes(questions)))));
    const topics = () => asked.map((one) => one.topics.length);
    const answers = [all('a1')];
    await turn();
    answers.push(all('a2'));
    await turn();
    answers.push(all('a3'));
    await turn();
    t.deepEqual(topics(), [1]);
    mock.timers.tick(10);
    t.deepEqual(topics(), [1, 2]);
    answers.push(all(...Array.from({ length: 499 }, (_, n) => `a${n}`)));
    await turn();
    t.deepEqual(topics(), [1, 2]);
    answers.push(all('a4'));
    await turn();
    t.deepEqual(topics(), [1, 2, 500]);
    answers.push(all('a5'));
    await turn();
    waiting.shift()!();
    await turn();
    t.deepEqual(topics(), [1, 2, 500, 1]);
    for (const go of waiting) go();
    await Promise.all(answers);
    const last = all('a6');
    await turn();
    t.deepEqual(topics(), [1, 2, 500, 1, 1], 'where none runs it is asked at once');
    waiting.at(-1)!();
    t.deepEqual(await last, [true]);
  },
);
