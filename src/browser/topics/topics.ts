import type { Detail } from '../../event/event.js';
import { askFor, grantOf, startsEarlier } from './asking.js';
import { createChange } from './change.js';
import type { Topics, TopicsHost } from './contract.js';
import { presenceAfter } from './presence.js';
import { createRooms } from './rooms.js';
import { createSharing } from './sharing.js';
import type { Request } from './words.js';

/** The part of the client that knows topics. The number in its name is the version of contract.ts. */
export function topics1(host: TopicsHost): Topics {
  const change = createChange(() => {
    const { current } = host;
    // A stream that is being opened asks for what is wanted when its address is made; once it is open, this is checked again.
    const due = !!current?.stands && differs(current);
    if (due) host.replace();
    return due;
  });
  const rooms = createRooms({
    again: (topic) => host.current?.asked?.delete(topic),
    changed: () => sharing.wantsElse(),
    fire: host.fire,
  });
  const sharing = createSharing(host.tabs, rooms, change);

  const differs = ({ asked = new Map() }: Request) => {
    const union = sharing.union();
    if (union.size !== asked.size) return true;
    return [...union].some(([topic, texts]) => !texts.every((text) => asked.get(topic)?.includes(text)));
  };

  return {
    ...sharing,
    join: rooms.join,
    hears: rooms.hears,
    event: rooms.event,
    tick: rooms.tick,
    close: rooms.close,
    frame(data: Detail) {
      const topic = `${data.topic}`;
      if (data.type === 'left') {
        host.current?.asked?.delete(topic);
        sharing.heard()?.topics.delete(topic);
        rooms.left(topic, `${data.reason}`);
      } else if (data.type === 'presence') {
        const present = sharing.heard()?.present;
        const now = presenceAfter(present?.get(topic), data);
        present?.set(topic, now);
        rooms.presence(topic, now);
      }
    },
    ask(url, request) {
      request.asked = sharing.union();
      request.over = askFor(url, request.asked);
    },
    resumes: ({ asked }, connected) => startsEarlier(asked, connected),
    stands(request, connected) {
      sharing.granted(grantOf(request, connected, sharing.own));
      if (differs(request)) change();
    },
    isOwn: (data) => sharing.isOwn(`${data[':topic']}`),
  };
}
