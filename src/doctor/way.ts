import { type ClientRequest, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls } from 'node:https';
import { inTime } from '../lib/deadline.js';
import { type Finding, type Found, failed, ok, warning } from './findings.js';

export interface WayOptions {
  /** The base path as browsers reach it, with a slash at its end. */
  url: URL;
  /** Headers for every request: a cookie, or a token. */
  headers: Record<string, string>;
  /** Milliseconds to wait for a heartbeat. */
  patience: number;
}

/** Milliseconds within which an answer, or a stream's first byte, must come. */
const ANSWER = 5000;

/** Milliseconds within which a first byte counts as having come at once. */
const AT_ONCE = 1000;

const NOT_BUFFERED =
  'Switch buffering and compression off for this path: docs/deployment.md has what nginx, Caddy and HAProxy need.';

/** The answer to one request: its head, and the part of its body that has come so far. */
class Answer {
  status = 0;
  headers: IncomingHttpHeaders = {};
  text = '';
  ended = false;
  error: Error | undefined;
  #waiting: (() => void)[] = [];
  readonly #request: ClientRequest;

  constructor(url: URL, options: RequestOptions) {
    const send = url.protocol === 'https:' ? requestTls : request;
    this.#request = send(url, { agent: false, ...options }, (response) => {
      this.status = response.statusCode!;
      this.headers = response.headers;
      response.setEncoding('latin1').on('data', (chunk: string) => {
        // A stream may be long, and only its beginning is needed.
        if (this.text.length < 1_000_000) this.text += chunk;
        this.#changed();
      });
      response.on('error', () => {});
      response.once('close', () => {
        this.ended = true;
        this.#changed();
      });
      this.#changed();
    });
    this.#request.once('error', (error) => {
      this.error = error;
      this.ended = true;
      this.#changed();
    });
    this.#request.end();
  }

  /** Waits until the condition is true, the answer has ended, or the time is over. @returns whether the condition is true */
  async until(condition: () => boolean, milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (!condition() && !this.ended && performance.now() < end) {
      const changed = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await inTime(changed, end - performance.now());
    }
    return condition();
  }

  close(): void {
    this.#request.destroy();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Checks the way from here to the instances as a browser takes it, through all proxies. */
export async function* checkWay(options: WayOptions): AsyncGenerator<Finding> {
  const reached = await health(options);
  yield { check: 'healthz', ...reached };
  // If no instance answers, the other checks are left out.
  if (reached.state === 'failed' && !/answers 503/.test(reached.found)) return;
  yield { check: 'metrics', ...(await metrics(options)) };
  yield { check: 'HTTP/2', ...(await http2(options)) };
  yield* stream(options);
}

async function get({ url, headers }: WayOptions, name: string): Promise<Answer> {
  const answer = new Answer(new URL(name, url), { headers });
  await answer.until(() => false, ANSWER);
  answer.close();
  return answer;
}

async function health(options: WayOptions): Promise<Found> {
  const answer = await get(options, 'healthz');
  const { href } = options.url;
  if (answer.error && answer.status === 0) {
    return failed(
      `${href} does not answer: ${answer.error.message}`,
      'Is the address right, and does this machine trust its certificate (NODE_EXTRA_CA_CERTS)?',
    );
  }
  if (answer.status === 0)
    return failed(`${href} gave no answer in 5 s`, 'Is an instance running, and does the proxy lead to it?');
  if (answer.status === 503)
    return failed(
      `healthz answers 503: ${answer.text.slice(0, 300)}`,
      'Read its problems; docs/operations.md says what to do.',
    );
  if (answer.status === 200 && answer.text.includes('"status"')) return ok('an instance answers');
  if (answer.status === 404) {
    return warning(
      'healthz answers 404',
      'Where it is not switched off (option health), correct the address: it ends in the base path.',
    );
  }
  if ([401, 403].includes(answer.status)) return ok(`it is not public (${answer.status})`);
  return failed(
    `healthz answers ${answer.status}, and not as djr does`,
    'Correct the address (it ends in the base path, like /realtime/), or let the proxy keep the path as it is.',
  );
}

async function metrics(options: WayOptions): Promise<Found> {
  for (const name of ['metrics', 'metrics/']) {
    const answer = await get({ ...options, headers: {} }, name);
    if (answer.status === 200 && answer.text.includes('djr_')) {
      return warning(`${name} is public`, 'Refuse it in the proxy: it is for Prometheus, inside your network.');
    }
  }
  return ok('it is not public');
}

async function http2({ url }: WayOptions): Promise<Found> {
  const todo =
    'Switch HTTP/2 on in the proxy: with HTTP/1.1 a browser has six connections a host, and each tab without a shared stream takes one.';
  if (url.protocol !== 'https:') return warning('the address is no https: browsers speak HTTP/1.1', todo);
  const session = connectHttp2(url.origin);
  const connected = new Promise<string | undefined>((resolve) => {
    session.once('connect', () => resolve(session.alpnProtocol)).once('error', () => resolve(undefined));
  });
  const protocol = await inTime(connected, ANSWER).finally(() => session.destroy());
  return protocol === 'h2' ? ok('browsers get HTTP/2') : warning('browsers get HTTP/1.1', todo);
}

async function* stream({ url, headers, patience }: WayOptions): AsyncGenerator<Finding> {
  const began = performance.now();
  const answer = new Answer(new URL('sse/', url), {
    headers: {
      accept: 'text/event-stream',
      'accept-encoding': 'gzip, deflate, br',
      origin: url.origin,
      // An id that no instance can read: the reset in answer to it proves that the header arrives.
      'last-event-id': 'doctor',
      ...headers,
    },
  });
  try {
    const first = await answer.until(() => answer.text !== '', ANSWER);
    const took = Math.round(performance.now() - began);
    const host = hostFound(answer);
    yield { check: 'Host', ...host };
    if (answer.status !== 0 && answer.status !== 200) return;
    yield { check: 'first byte', ...firstByte(answer, first, took) };
    if (!first) return;
    yield { check: 'cache', ...cacheFound(answer) };
    const compressed = answer.headers['content-encoding'] !== undefined;
    if (compressed) return;
    const told = await answer.until(() => answer.text.includes('"reset"'), ANSWER);
    yield {
      check: 'Last-Event-ID',
      ...(told
        ? ok('it arrives')
        : failed(
            'it does not arrive: browsers that reconnect are not given what they missed',
            'Let the proxy pass the header Last-Event-ID on.',
          )),
    };
    yield { check: 'heartbeat', ...(await heartbeat(answer, patience)) };
  } finally {
    answer.close();
  }
}

function hostFound({ status, text, error }: Answer): Found {
  if (status === 200 || status === 0) {
    return error
      ? failed(`the stream does not open: ${error.message}`, 'The log of the proxy says why.')
      : ok('pages of this address may open the stream');
  }
  if (status === 403) {
    return failed(
      'the stream answers 403 to pages of this address: another Host arrives than the browser asked for',
      'Let the proxy pass Host on as it came (nginx: proxy_set_header Host $http_host), or name this origin in allowedOrigins.',
    );
  }
  if (status === 401) {
    return warning(
      'the stream asks for a login (401)',
      "Give one: --header 'Cookie: …' or --header 'Authorization: Bearer …'.",
    );
  }
  return failed(
    `the stream answers ${status}: ${text.slice(0, 200)}`,
    'The log of the instance, or of the proxy, says why.',
  );
}

function firstByte({ headers }: Answer, came: boolean, took: number): Found {
  if (!came) return failed('no byte of the stream in 5 s: the answer is held back', NOT_BUFFERED);
  const encoding = headers['content-encoding'];
  if (encoding) return failed(`the stream is compressed (${encoding}), which holds events back`, NOT_BUFFERED);
  if (!headers['content-type']?.startsWith('text/event-stream')) {
    return failed(
      `the stream is ${headers['content-type'] ?? 'of no type'}`,
      'The proxy must lead to djr, and keep Content-Type.',
    );
  }
  return took > AT_ONCE ? warning(`it came after ${took} ms`, NOT_BUFFERED) : ok(`it came after ${took} ms`);
}

function cacheFound({ headers }: Answer): Found {
  const control = headers['cache-control'] ?? '';
  const todo = 'Keep this path out of every shared cache, and Cache-Control as djr says it.';
  if (headers.age !== undefined || /\bhit\b/i.test(String(headers['x-cache'] ?? '')))
    return failed('a cache answered', todo);
  if (!/no-cache|no-store|private/.test(control)) return failed(`Cache-Control is "${control}"`, todo);
  return control.includes('no-transform')
    ? ok('no cache may keep it')
    : warning(`Cache-Control has lost no-transform ("${control}")`, todo);
}

async function heartbeat(answer: Answer, patience: number): Promise<Found> {
  const before = answer.text.length;
  const began = performance.now();
  const came = await answer.until(() => answer.text.length > before, patience);
  const seconds = Math.round((performance.now() - began) / 1000);
  if (came) return ok(`something came after ${seconds} s of silence`);
  if (answer.ended) {
    return failed(
      `the stream was cut after ${seconds} s of silence`,
      "The proxy's time-out must be longer than heartbeat: 60 s for 15 s.",
    );
  }
  return failed(
    `nothing came in ${seconds} s`,
    `${NOT_BUFFERED} Where heartbeat is longer than that, give --patience.`,
  );
}
