import { Frontier } from '../event/frontier.js';
import { DjrError } from '../lib/errors.js';
import type { Engine } from './engine.js';

/** What an edge asks of a source; any source may answer, but for `flush`, which only the one that writes the log does. */
export type Request =
  | 'flush'
  | 'since'
  | 'acknowledge'
  | 'record'
  | 'ping'
  | 'report'
  | 'withdraw'
  | 'permissions'
  | 'authorize'
  | 'presence'
  | 'users';

/** A frontier in a request. */
export interface FrontierText {
  readonly epoch: string;
  readonly snapshot: string;
  readonly time: number;
}

export const toText = ({ epoch, snapshot, time }: Frontier): FrontierText => ({ epoch, snapshot, time });

/** @throws when it cannot be read */
export function fromText({ epoch, snapshot, time }: FrontierText): Frontier {
  const frontier = Frontier.fromSnapshot(snapshot, epoch, time);
  if (!frontier) throw new Error(`the snapshot of a request cannot be read: ${snapshot}`);
  return frontier;
}

type Answer = { value: unknown } | { error: { code: string; message: string } };

/** @throws {@link DjrError} with the code that the source gave, or `DJR_DATABASE` where no source answers */
export async function request<T>(engine: Engine, what: Request, body: unknown, timeout?: number): Promise<T> {
  let text: string;
  try {
    text = await engine.ask(engine.subjects.ask(what), JSON.stringify(body), timeout);
  } catch (cause) {
    throw new DjrError('DJR_DATABASE', 'No source of the relay answers.', { cause });
  }
  const answer = JSON.parse(text) as Answer;
  if ('error' in answer) throw new DjrError(answer.error.code, answer.error.message);
  return answer.value as T;
}

/** What a source says to a request: what it does, or why it cannot. */
export async function answerTo(work: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify({ value: (await work()) ?? null } satisfies Answer);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'DJR_DATABASE';
    const message = error instanceof Error ? error.message : String(error);
    return JSON.stringify({ error: { code, message } } satisfies Answer);
  }
}
