import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark, seen from the main one: its methods, called over IPC. */
export type Remote<Api> = Api & {
  readonly pid: number;
  /** Ends the process and waits until it is gone. */
  end(): Promise<void>;
};

export interface Call {
  id: number;
  method: string;
  argument: unknown;
}

export interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts `role` (see child.ts) in a process of its own. `DJR_BENCH_CHILD` names a built child.js, which starts sooner than the source with tsx.
 *
 * @param flags more arguments for node, as `--cpu-prof`
 * @param openFiles a limit of open files above our own, which root may set
 */
export function start<Api extends object>(role: string, flags: string[] = [], openFiles?: number): Remote<Api> {
  const compiled = import.meta.url.endsWith('.js');
  const entry =
    process.env.DJR_BENCH_CHILD ?? fileURLToPath(new URL(compiled ? './child.js' : './child.ts', import.meta.url));
  const nodeFlags = entry.endsWith('.js') ? process.execArgv.filter((arg) => arg !== '--import=tsx') : process.execArgv;
  const args = [...nodeFlags, '--expose-gc', ...flags];
  const child = fork(entry, [role], {
    ...(openFiles === undefined
      ? { execArgv: args }
      : { execPath: 'prlimit', execArgv: [`--nofile=${openFiles}:${openFiles}`, process.execPath, ...args] }),
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  let id = 0;
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  child.on('message', (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) call?.resolve(reply.result);
    else call?.reject(new Error(`${role}: ${reply.error}`));
  });
  void exited.then((code) => {
    running.delete(child);
    for (const call of waiting.values()) call.reject(new Error(`${role} ended with code ${code}.`));
    waiting.clear();
  });

  const call = (method: string, argument: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      child.send({ id, method, argument } satisfies Call, (error) => error && reject(error));
    });
  const own = {
    pid: child.pid!,
    async end() {
      if (child.connected) child.disconnect();
      const impatient = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(impatient);
    },
  };
  return new Proxy(own, {
    get(target, name) {
      if (name === 'then') return undefined;
      if (name in target) return Reflect.get(target, name);
      return (argument: unknown) => call(String(name), argument);
    },
  }) as Remote<Api>;
}
