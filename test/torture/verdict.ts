import { pause } from './random.js';
import type { Ledger } from './writer.js';

/** An event as the database has it in the end. */
export interface Stored {
  id: number;
  /** The number that its writer gave it; a replay has that of its original. */
  n: number;
  replay: boolean;
  scope: 'user' | 'public' | 'topic' | 'system';
  user_id: string | null;
  topic: string | null;
}

const ROOMS = 4;

/** The room that a user may hear; anonymous readers may hear none. */
export const roomOf = (user: string): string => `room:${Number(/\d+$/.exec(user)![0]) % ROOMS}`;

/** All rooms: every reader asks for every one, and hears its own. */
export const rooms: readonly string[] = Array.from({ length: ROOMS }, (_, n) => `room:${n}`);

export interface Rows {
  readonly byId: ReadonlyMap<number, Stored>;
  readonly byNumber: ReadonlyMap<number, readonly Stored[]>;
}

/** Whoever gets events: a bare reader, or a tab of a browser. */
export interface Receiver {
  readonly name: string;
  readonly user: string | null;
  /** `performance.now()`: what is committed after it has to come. */
  readonly since: number;
  /** `performance.now()` of the last event, a repeat or not: who gets any is not done. */
  readonly heard: number;
  has(event: Pick<Stored, 'id' | 'n'>): boolean;
  lacking(owed: readonly Stored[]): Stored[];
  /** All that came, as the database knows it; undefined: it does not. */
  strangers(rows: Rows): [name: string, event: Stored | undefined][];
}

export interface Verdict {
  lost: string[];
  behind: string[];
  foreign: string[];
}

export const isEntitled = (
  user: string | null,
  { scope, topic, user_id }: Pick<Stored, 'scope' | 'topic' | 'user_id'>,
): boolean =>
  scope === 'public' ||
  (user !== null && ((scope === 'user' && user_id === user) || (scope === 'topic' && topic === roomOf(user))));

/** How long nothing may come until what lacks is lost; how long all may take that still receive. */
const SILENCE = 30_000;
const PATIENCE = 600_000;

export function index(stored: readonly Stored[]): Rows {
  const byNumber = new Map<number, Stored[]>();
  for (const event of stored) {
    const same = byNumber.get(event.n);
    if (same) same.push(event);
    else byNumber.set(event.n, [event]);
  }
  return { byId: new Map(stored.map((event) => [event.id, event])), byNumber };
}

/**
 * Waits for each receiver until it lacks nothing, or until nothing came to it for half a minute: on a busy machine one may
 * be far behind, which is no loss. Then compares what each got with what the database says it was entitled to.
 *
 * @param marker - what was published after all others: who has it, and still lacks one, has a gap.
 */
export async function judge(
  stored: readonly Stored[],
  receivers: readonly Receiver[],
  ledger: Ledger,
  marker: Pick<Stored, 'id' | 'n'>,
  log: (line: string) => void,
): Promise<Verdict> {
  // Worked out once: looking must not take the time that the readers need in the same process.
  const users = new Set(receivers.map(({ user }) => user));
  const entitled = new Map([...users].map((user) => [user, stored.filter((event) => isEntitled(user, event))]));
  const lacking = (receiver: Receiver) =>
    receiver.lacking(entitled.get(receiver.user)!.filter((event) => ledger.sentAt(event) > receiver.since));

  const begin = performance.now();
  const lost: string[] = [];
  const behind: string[] = [];
  let open = [...receivers];
  for (;;) {
    const now = performance.now();
    const lacks = new Map(open.map((receiver) => [receiver, lacking(receiver)]));
    open = open.filter((receiver) => lacks.get(receiver)!.length > 0);
    const receiving = open.filter((receiver) => now - Math.max(begin, receiver.heard) < SILENCE);
    if (receiving.length === 0 || now - begin > PATIENCE) {
      for (const receiver of open) {
        // A gap is a loss however much still comes; without the last event it may be on its way.
        const gap = receiver.has(marker);
        if (!gap && receiving.includes(receiver)) behind.push(receiver.name);
        else
          for (const { id } of lacks.get(receiver)!)
            lost.push(`event ${id} to ${receiver.name}: ${gap ? 'a gap' : 'silence'}`);
      }
      break;
    }
    const unmarked = open.filter((receiver) => !receiver.has(marker)).length;
    let missing = 0;
    for (const receiver of open) missing += lacks.get(receiver)!.length;
    log(`settling: ${open.length} lack ${missing} in all, ${unmarked} of them the last event as well`);
    await pause(2000);
  }

  const foreign: string[] = [];
  const rows = index(stored);
  for (const receiver of receivers) {
    for (const [name, event] of receiver.strangers(rows)) {
      if (!event) foreign.push(`${name}, which is not in the database, to ${receiver.name}`);
      else if (!isEntitled(receiver.user, event))
        foreign.push(`${name} of ${event.user_id ?? event.topic} to ${receiver.name}`);
    }
  }
  return { lost, behind, foreign };
}
