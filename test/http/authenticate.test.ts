import { request } from 'node:http';
import test from 'ava';
import { startApp } from '../helpers/server.js';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** node:http, as fetch decides over `Origin` itself. */
const ask = (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      const answer = () => resolve({ status: response.statusCode!, headers: response.headers, body });
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        answer();
        sent.destroy();
        return;
      }
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', answer);
    });
    sent.once('error', reject);
    sent.end();
  });

/** What every refusal of the API is, RFC 9457. */
const problemOf = ({ status, headers, body }: Answer) => {
  const problem = JSON.parse(body);
  return {
    status,
    type: headers['content-type'],
    same: problem.status === status,
    text: typeof problem.title === 'string' && problem.detail.length > 10,
  };
};
const PROBLEM = { type: 'application/problem+json', same: true, text: true };

test('An authenticate that throws or returns a Response refuses the stream', async (t) => {
  const app = await startApp(t, {
    authenticate: async (request) => {
      const user = request.headers.get('x-user');
      if (user === 'response') return new Response('go away', { status: 418, headers: { 'x-why': 'teapot' } });
      if (user === 'ok') return new Response('never 200', { status: 200 });
      if (user === 'object') return {} as string;
      throw new Error('token 12345 has expired');
    },
  });
  const url = `${app.origin}/realtime/sse/`;
  const thrown = await ask(url);
  t.deepEqual(problemOf(thrown), { status: 401, ...PROBLEM });
  t.false(thrown.body.includes('12345'));
  const answered = await ask(url, { 'x-user': 'response' });
  t.is(answered.status, 418);
  t.is(answered.headers['x-why'], 'teapot');
  t.is(answered.body, 'go away');
  t.is((await ask(url, { 'x-user': 'ok' })).status, 401);
  t.is((await ask(url, { 'x-user': 'object' })).status, 401);
});

test('An authenticate that does not answer is waited for no longer than hookTimeout, logged, and leaves room', async (t) => {
  const app = await startApp(t, {
    hookTimeout: 100,
    authenticate: (request) => (request.headers.has('x-hang') ? new Promise(() => {}) : null),
  });
  const url = `${app.origin}/realtime/sse/`;
  for (const refused of await Promise.all([1, 2, 3].map(() => ask(url, { 'x-hang': '1' })))) {
    t.deepEqual(problemOf(refused), { status: 503, ...PROBLEM });
    t.true(Number(refused.headers['retry-after']) > 0);
  }
  const warnings = app.lines.filter(({ level, message }) => level === 'warn' && message.includes('authenticate'));
  t.is(warnings.length, 1, 'what befalls every request is said once a minute');
  const metrics = await ask(`${app.origin}/realtime/metrics`);
  t.true(metrics.body.includes('\ndjr_requests_refused_total{status="503"} 3\n'));
  t.is((await app.stream()).status, 200);
});

test('What authenticate returns and no user is called refuses the stream, and is in the log', async (t) => {
  const rubbish: unknown[] = [true, {}, [], Symbol('ann'), () => 'ann', new Date(0), '', Number.NaN, 1.5, 2 ** 53];
  const said = new Set<string>();
  let answer: unknown;
  const app = await startApp(t, { authenticate: () => answer as string });
  for (const later of [false, true]) {
    for (const value of rubbish) {
      answer = later ? Promise.resolve(value) : value;
      t.is((await ask(`${app.origin}/realtime/sse/`)).status, 401);
      const { context, level } = app.lines.at(-1)!;
      const { message } = context.err as Error;
      t.regex(message, /^authenticate's user must be a text of 1 to 255 characters, a safe integer/);
      // The same thing again within a minute is for debug.
      t.is(level, said.has(message) ? 'debug' : 'error');
      said.add(message);
    }
  }
  for (const value of [null, undefined, Promise.resolve(null)]) {
    answer = value;
    t.is((await ask(`${app.origin}/realtime/sse/`)).status, 200);
  }
  const metrics = await ask(`${app.origin}/realtime/metrics`);
  t.true(metrics.body.includes(`\ndjr_requests_refused_total{status="401"} ${2 * rubbish.length}\n`));
});

test('authenticate gets the request as the browser sent it', async (t) => {
  const seen: Request[] = [];
  const app = await startApp(t, {
    authenticate: (request) => {
      seen.push(request);
      return null;
    },
  });
  await app.stream('?token=t%20t', { headers: { cookie: 'a=1; b=2', authorization: 'Bearer x' } });
  t.is(seen[0]!.url, `${app.origin}/realtime/sse/?token=t%20t`);
  t.is(seen[0]!.headers.get('cookie'), 'a=1; b=2');
  t.is(seen[0]!.headers.get('authorization'), 'Bearer x');
});
