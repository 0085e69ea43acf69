import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';

/** As it is installed: test/run.ts sees to it that what is built is what the source says. */
const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;

/** No database or port by accident: only what a test names. */
function environment(own: Record<string, string>): NodeJS.ProcessEnv {
  const named = Object.entries(process.env).filter(([name]) => !/^(PG|DJR_(?!TEST)|DATABASE_URL$|PORT$)/.test(name));
  return { ...Object.fromEntries(named), NO_COLOR: '1', ...own };
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the match when stdout has it; rejects when the command ends first. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The same of stderr. */
  complained(pattern: RegExp): Promise<RegExpMatchArray>;
  readonly ended: Promise<Ended>;
}

/** Starts `djr` as a process, killed with the test. */
export function start(t: ExecutionContext, args: string[], env: Record<string, string> = {}): Running {
  return watch(t, spawn(process.execPath, [main, ...args], { env: environment(env) }));
}

function watch(t: ExecutionContext, child: ChildProcessWithoutNullStreams): Running {
  t.teardown(() => child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const ended = once(child, 'close').then(([code]): Ended => ({ code, ...said }));
  const wait = (stream: 'out' | 'err', pattern: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const look = () => {
        const match = said[stream].match(pattern);
        if (match) resolve(match);
      };
      child[stream === 'out' ? 'stdout' : 'stderr']!.on('data', look);
      void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${said.out}${said.err}`)));
      look();
    });
  return { child, ended, printed: (pattern) => wait('out', pattern), complained: (pattern) => wait('err', pattern) };
}

/** Runs `djr` to its end. */
export function djr(
  t: ExecutionContext,
  args: string[],
  options: { env?: Record<string, string>; input?: string } = {},
) {
  const { child, ended } = start(t, args, options.env);
  child.stdin!.end(options.input ?? '');
  return ended;
}

/** Opens the stream; `events` resolves when `count` have come, the `connected` one left out. */
export async function readEvents(url: string, count: number, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  if (!response.ok) throw new Error(`${response.status}: ${await text(response.body!)}`);
  const decoder = new TextDecoder();
  let buffer = '';
  let connected: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const events = (async () => {
    const found: { type: string; [name: string]: unknown }[] = [];
    for await (const chunk of response.body!) {
      buffer += decoder.decode(chunk, { stream: true });
      const lines = buffer.split('\n');
      buffer = lines.pop()!;
      for (const line of lines.filter((one) => one.startsWith('data: '))) {
        const event = JSON.parse(line.slice(6));
        if (event.type === 'connected') connected();
        else found.push(event);
      }
      if (found.length >= count) break;
    }
    abort.abort();
    return found;
  })();
  await ready;
  return { events };
}

/** Whether this machine has script(1) of util-linux, by which a command gets a terminal. */
export const hasTerminal = spawnSync('script', ['--version']).status === 0;

/** Starts `djr` on a terminal of its own: what it prints on both outputs is `out`. Colours are on unless `env` says not. */
export function startOnTerminal(t: ExecutionContext, args: string[], env: Record<string, string> = {}): Running {
  const quoted = [process.execPath, main, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  // A continuous integration's environment says that its logs have no colours: this is a person's.
  const { NO_COLOR, FORCE_COLOR: _, CI: __, ...rest } = environment({ TERM: 'xterm', ...env });
  const own = env.NO_COLOR === undefined ? rest : { ...rest, NO_COLOR };
  return watch(t, spawn('script', ['-qefc', quoted.join(' '), '/dev/null'], { env: own }));
}
