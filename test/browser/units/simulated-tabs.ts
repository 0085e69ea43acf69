import { createSeen } from '../../../src/browser/seen.js';
import { createTabs, type Host } from '../../../src/browser/tabs/tabs.js';
import type { Topics } from '../../../src/browser/topics/contract.js';
import type { Want } from '../../../src/browser/topics/words.js';
import { Locks } from './locks.js';
import { settle, simulatePage } from './simulated-page.js';

/** A tab whose stream is the test: what it shows, and what its stream is doing. */
export function tab(name = 'x') {
  const shown: [text: string, id: string, repeat: boolean][] = [];
  const states: string[] = [];
  const calls: string[] = [];
  /** What the part that knows topics was called for; without it: undefined. */
  const asked: string[] = [];
  const topics = new Proxy({} as Topics, {
    get: (_, called: string) => {
      return () => {
        asked.push(called);
        return called === 'all' ? state.wants : undefined;
      };
    },
  });
  const state = { topics: false, covered: true, wants: [] as [string, Want[]][] };
  const host: Host = {
    lastId: '',
    seen: createSeen(),
    get topics() {
      return state.topics ? topics : undefined;
    },
    withTopics: (call) => call(topics),
    covered: () => state.covered,
    open: () => void calls.push('open'),
    close: () => void calls.push('close'),
    look: (silence) => void calls.push(silence === undefined ? 'look' : `look ${silence}`),
    show: (text, id, repeat) => void shown.push([text, id, repeat]),
    state: ({ state }) => void states.push(state),
  };
  const tabs = createTabs(host, name);
  return {
    tabs,
    host,
    shown,
    states,
    calls,
    asked,
    state,
    /** Its own stream stands. */
    async connect(key = 'ada.1', { resuming = false, heartbeat = 4000 } = {}) {
      tabs.connected(key, resuming, heartbeat);
      await settle();
    },
    /** An event on its own stream. */
    async event(event: number) {
      const id = `${event}-p`;
      host.lastId = id;
      tabs.frame(`event ${event}`, id, event, !host.seen.add(event), false);
      await settle();
    },
  };
}

/** Two tabs of which the first leads and the second follows. */
export async function pair(page: ReturnType<typeof simulatePage>) {
  const [first, second] = [tab(), tab()];
  await first.connect();
  first.host.lastId = '1-p';
  await second.connect();
  await page.pass(3000);
  return { first, second };
}

/** A page with Web Locks and channels of its own. */
export function startPage(t: Parameters<typeof simulatePage>[0]) {
  const page = simulatePage(t);
  Object.assign(globalThis, { isSecureContext: true });
  Object.assign(navigator, { locks: new Locks() });
  const channels: BroadcastChannel[] = [];
  const Channel = BroadcastChannel;
  Object.assign(globalThis, {
    BroadcastChannel: class extends Channel {
      constructor(name: string) {
        super(name);
        channels.push(this);
      }
    },
  });
  t.teardown(() => {
    for (const channel of channels) channel.close();
    Object.assign(globalThis, { BroadcastChannel: Channel });
    Reflect.deleteProperty(globalThis, 'isSecureContext');
  });
  return { page, channels };
}
