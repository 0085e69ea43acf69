import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import type { ClientCase, ClientStep, Frame } from './case.js';
import type { Outcome } from './server-runner.js';

/** What a client under test fired: one line of JSON on its standard output. */
export interface Fired {
  readonly type: string;
  readonly detail?: Record<string, unknown>;
}

/** A client that is being tested. */
export interface RunningClient {
  readonly fired: readonly Fired[];
  close(): Promise<void>;
}

export interface ClientTarget {
  /** Starts a client that reads the stream at this address. */
  readonly start: (url: string) => Promise<RunningClient>;
  /** How long to wait for what must come, in milliseconds. */
  readonly patience: number;
}

const MARKER = 'conformance_marker';

/** Starts a command with the stream's address as its last argument; it prints `{"type": …, "detail": …}`, a line each. */
export function command(line: string): (url: string) => Promise<RunningClient> {
  return async (url) => {
    const child: ChildProcess = spawn(`${line} ${JSON.stringify(url)}`, {
      shell: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const fired: Fired[] = [];
    createInterface({ input: child.stdout! }).on('line', (text) => fired.push(JSON.parse(text) as Fired));
    return {
      fired,
      async close() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        process.kill(-child.pid!, 'SIGKILL');
        await gone;
      },
    };
  };
}

/** A server that does what a case says, one connection after the other. */
class ScriptedServer {
  readonly #waiting: { request: IncomingMessage; response: ServerResponse }[] = [];
  readonly #server = createServer((request, response) => {
    this.#waiting.push({ request, response });
  });
  #current: ServerResponse | undefined;
  #marker = 0;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/realtime/sse/`;
  }

  /** The next request to the stream; requests for other paths, as a browser's for an icon, get 404. */
  take(): { request: IncomingMessage; response: ServerResponse } | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next) return undefined;
      const url = new URL(next.request.url!, 'http://localhost');
      if (url.pathname.replace(/\/?$/, '/') !== '/realtime/sse/') next.response.writeHead(404).end();
      else if (url.searchParams.get('probe') === '1')
        next.response.writeHead(204, { 'access-control-allow-origin': '*' }).end();
      else return next;
    }
  }

  answer(response: ServerResponse, status: number, frames: readonly Frame[]): void {
    const headers = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };
    if (status !== 200) {
      response.writeHead(status, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' });
    response.flushHeaders();
    this.#current = response;
    this.send(frames);
  }

  send(frames: readonly Frame[]): void {
    for (const { retry, id, data, comment } of frames) {
      const lines = [
        retry === undefined ? [] : [`retry: ${retry}`],
        comment === undefined ? [] : [`: ${comment}`],
        id === undefined ? [] : [`id: ${id}`],
        data === undefined ? [] : [`data: ${JSON.stringify(data)}`],
      ].flat();
      this.#current!.write(`${lines.join('\n')}\n\n`);
    }
  }

  /** An event behind all others: when it is fired, all before it was. */
  mark(): number {
    this.#marker += 1;
    this.send([{ id: `${1_000_000 + this.#marker}-marker`, data: { n: this.#marker, type: MARKER } }]);
    return this.#marker;
  }

  /** What was sent before still arrives: a connection that is destroyed may take it along. */
  cut(): void {
    this.#current?.end();
    this.#current = undefined;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export async function runClientCases(
  cases: readonly ClientCase[],
  target: ClientTarget,
  tell: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { file, what, steps } of cases) {
    const outcome = await runOne(file, what, steps, target);
    outcomes.push(outcome);
    tell(outcome);
  }
  return outcomes;
}

async function runOne(
  name: string,
  what: string,
  steps: readonly ClientStep[],
  target: ClientTarget,
): Promise<Outcome> {
  const server = new ScriptedServer();
  const client = await target.start(await server.listen());
  let read = 0;
  const until = async <T>(description: string, find: () => T | undefined): Promise<T> => {
    const end = performance.now() + target.patience;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (performance.now() > end)
        throw new Error(`${description} did not come; fired: ${JSON.stringify(client.fired)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    for (const [index, step] of steps.entries()) {
      try {
        if ('serve' in step) {
          const { request, response } = await until('a request for the stream', () => server.take());
          const query = new URL(request.url!, 'http://localhost').searchParams;
          for (const [key, value] of Object.entries(step.serve.query)) {
            const has = query.get(key) ?? (key === 'lastEventId' ? (request.headers['last-event-id'] ?? null) : null);
            if (has !== value) throw new Error(`${key} must be ${value} (it is ${has})`);
          }
          server.answer(response, step.serve.status, step.serve.frames);
        } else if ('send' in step) server.send(step.send);
        else if ('cut' in step) server.cut();
        else {
          const marker = server.mark();
          const end = await until('what was sent last', () => {
            const at = client.fired.findIndex(({ type, detail }) => type === MARKER && detail?.n === marker);
            return at < 0 ? undefined : at;
          });
          const got = client.fired.slice(read, end);
          read = end + 1;
          const wanted = step.fired.map(({ type, detail }, at) => ({ type, detail: detail ?? got[at]?.detail }));
          const seen = got.map(({ type, detail }) => ({ type, detail: withoutType(detail) }));
          const expected = wanted.map(({ type, detail }) => ({ type, detail: withoutType(detail) }));
          if (!isDeepStrictEqual(expected, seen))
            throw new Error(`it must fire ${JSON.stringify(expected)} (it fired ${JSON.stringify(seen)})`);
        }
      } catch (error) {
        throw new Error(
          `step ${index + 1}, ${Object.keys(step)[0]}: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
    return { name, what, result: 'passed' };
  } catch (error) {
    return { name, what, result: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.close();
    server.close();
  }
}

function withoutType(detail: Record<string, unknown> | undefined): Record<string, unknown> {
  const { type: _, ...rest } = detail ?? {};
  return rest;
}
