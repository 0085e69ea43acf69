import { safely } from './page.js';
import type { Member } from './topics/contract.js';
import type { JoinOptions, Room } from './types.js';

/** Makes the room that `join` returns. It works before the part of the client that knows topics is loaded. */
export function createMember(topic: string, options: JoinOptions = {}): Member {
  if (typeof topic !== 'string' || !topic) {
    throw new TypeError(
      `djr.join must be given a topic, a text that is not empty (it is ${topic === '' ? 'empty' : typeof topic})`,
    );
  }
  const listeners = new Set<readonly [type: string, call: (value: unknown, event?: Event) => void]>();
  const room: Member['room'] = {
    topic,
    state: 'joining',
    presence: undefined,
    on(type: string, call: (value: never, event: never) => void) {
      const listener = [type, call as (value: unknown, event?: Event) => void] as const;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    leave() {
      if (room.state === 'left') return;
      room.state = 'left';
      room.presence = undefined;
      member.tell('state', 'left');
      member.left();
    },
  } satisfies Room as Room;
  const member: Member = {
    topic,
    options,
    room,
    left() {},
    tell(type, value, event) {
      for (const [name, call] of [...listeners]) if (name === type) safely(call, value, event);
    },
  };
  return member;
}
