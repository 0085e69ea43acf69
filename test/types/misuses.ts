import djr, { connect, type Djr, type DjrEvent, type MessageOf } from '../../src/browser/client.js';
import { createRealtime, type Event, type EventOf, type Publication } from '../../src/index.js';

// Compiled and never run: each line below `@ts-expect-error` must not compile, and each other one must.
interface Events {
  paid: { total: string; currency?: string };
  shipped: { parcel: number };
  pinged: { at?: number };
}

const realtime = createRealtime<Events>({
  onReceive: (event) => (event.type === 'paid' ? { ...event, detail: { total: event.detail.total } } : event),
  beforeSend: async (event, client) => (event.type === 'shipped' && client.userId === null ? null : event),
});
const page = djr as unknown as Djr<Events>;
const room = page.join('room:7');

const total = (event: Event<'paid', Events['paid']>) => event.detail.total.length + event.createdAt.getTime();
const any = createRealtime({ onReceive: (event) => (event.detail.whatever ? event : null) });

export const right: unknown[] = [
  realtime.subscribe('paid', total),
  realtime.subscribe((event) => {
    if (event.type === 'shipped') return event.detail.parcel.toFixed();
    return event.type satisfies 'paid' | 'pinged';
  }),
  any.subscribe('anything', (event) => event.detail.whatever),
  page.subscribe('paid', ({ total, type }, event) => [total.length, type satisfies 'paid', event.createdAt?.getTime()]),
  page.connect({
    onMessage(message, event) {
      if (message.type === 'paid') message.total.length;
      if (message.type === 'reset') message.reason.length;
      event.id?.toFixed();
    },
  }),
  page.connect().join('room:7', { since: '1:1:' }),
  room.on('shipped', ({ parcel }, { id }) => parcel + (id ?? 0)),
  room.on('presence', ({ joined }) => joined.join()),
  page.seen(1042),
  page.seen(1042n, { timeout: 1000 }),
  page.seen('1042'),
  page.ack(7, 'delivered'),
  connect({ onMessage: (message) => message.whatever }),
  addEventListener('djr:paid', (event) => event.detail.total),
  { type: 'paid', userId: 1, detail: { total: '1' } } satisfies Publication<'paid', Events['paid']>,
];

declare const event: EventOf<Events>;
declare const message: MessageOf<Events>;
declare const fired: DjrEvent<MessageOf<Events>>;

export const publications: unknown[] = [
  // @ts-expect-error: a required detail left out
  realtime.publish({ userId: 1, type: 'paid' }),
  // @ts-expect-error: an empty detail where something in it is required
  realtime.publish({ userId: 1, type: 'paid', detail: {} }),
  // @ts-expect-error: a detail of undefined
  realtime.publish({ userId: 1, type: 'paid', detail: undefined }),
  // @ts-expect-error: a member too many
  realtime.publish({ userId: 1, type: 'paid', detail: { total: '1', vat: 2 } }),
  // @ts-expect-error: an optional member of another kind
  realtime.publish({ userId: 1, type: 'paid', detail: { total: '1', currency: 978 } }),
  // @ts-expect-error: a detail that is no object
  realtime.publish({ userId: 1, type: 'pinged', detail: 'now' }),
  // @ts-expect-error: the detail of another type
  realtime.publish({ scope: 'public', type: 'shipped', detail: { total: '1' } }),
  // @ts-expect-error: no such type
  realtime.publish({ scope: 'public', type: 'shiped', detail: { parcel: 1 } }),
  // @ts-expect-error: no type
  realtime.publish({ userId: 1, detail: { parcel: 1 } }),
  // @ts-expect-error: a topic and a user
  realtime.publish({ userId: 1, topic: 'room:7', type: 'pinged' }),
  // @ts-expect-error: a topic that is no text
  realtime.publish({ topic: 7, type: 'pinged' }),
  // @ts-expect-error: a key that is no text
  realtime.publish({ userId: 1, type: 'pinged', key: 7 }),
];

export const subscriptions: unknown[] = [
  // @ts-expect-error: no such type
  realtime.subscribe('payed', () => {}),
  // @ts-expect-error: no member of its detail
  realtime.subscribe('paid', ({ detail }) => detail.parcel),
  // @ts-expect-error: the detail before the type is known
  realtime.subscribe(({ detail }) => detail.total),
  // @ts-expect-error: a subscriber of another type
  realtime.subscribe('shipped', total),
  // @ts-expect-error: a type and no subscriber
  realtime.subscribe('paid'),
  // @ts-expect-error: the event's own id is its database's
  event.id++,
];

export const hooks: unknown[] = [
  // @ts-expect-error: a type that is none
  createRealtime<Events>({ onReceive: (event) => (event.type === 'payed' ? null : event) }),
  // @ts-expect-error: no member of a detail
  createRealtime<Events>({ onReceive: (event) => (event.type === 'paid' && event.detail.parcel ? null : event) }),
  // @ts-expect-error: what a hook returns is an event or null
  createRealtime<Events>({ onReceive: () => true }),
  // @ts-expect-error: what a hook returns is an event of the map
  createRealtime<Events>({ onReceive: (event) => ({ ...event, type: 'payed' }) }),
  createRealtime<Events>({
    // @ts-expect-error: a detail of another type
    beforeSend: (event) => (event.type === 'paid' ? { ...event, detail: { parcel: 1 } } : event),
  }),
  // @ts-expect-error: a client has no such member
  createRealtime<Events>({ beforeSend: (event, client) => (client.user ? event : null) }),
  // @ts-expect-error: a hook that is none
  createRealtime<Events>({ afterSend: () => {} }),
  // @ts-expect-error: a map whose details are no objects
  createRealtime<{ paid: string }>(),
];

export const pages: unknown[] = [
  // @ts-expect-error: no such type
  page.subscribe('payed', () => {}),
  // @ts-expect-error: no member of its detail
  page.subscribe('paid', ({ parcel }) => parcel),
  // @ts-expect-error: the member of a detail on the event itself
  page.subscribe('paid', (_, event) => event.total),
  // @ts-expect-error: no type of the map
  page.connect({ onMessage: (message) => message.type === 'payed' }),
  // @ts-expect-error: the detail before the type is known
  page.connect({ onMessage: (message) => message.total }),
  // @ts-expect-error: a reason that only a reset has
  message.reason,
  // @ts-expect-error: when it was inserted may not be known
  fired.createdAt.getTime(),
  // @ts-expect-error: options that are none
  page.connect({ onmessage: () => {} }),
  // @ts-expect-error: a token that is no text
  page.connect({ token: 7 }),
  // @ts-expect-error: a status that is none
  page.ack(7, 'opened'),
  // @ts-expect-error: an id that is none
  page.seen({ id: 7 }),
  // @ts-expect-error: a time that is none
  page.seen(7, { timeout: '1s' }),
];

export const rooms: unknown[] = [
  // @ts-expect-error: no such type
  room.on('payed', () => {}),
  // @ts-expect-error: no member of its detail
  room.on('paid', ({ parcel }) => parcel),
  // @ts-expect-error: presence has no such member
  room.on('presence', ({ came }) => came),
  // @ts-expect-error: the client says what state a room is in
  Object.assign(room, { leave: room.state++ }),
  // @ts-expect-error: users may be too many to be named
  room.presence?.users.length,
  // @ts-expect-error: a topic that is no text
  page.join(7),
  // @ts-expect-error: a seal comes as text
  page.join('room:7', { seal: async () => 7 }),
  // @ts-expect-error: options that are none
  page.join('room:7', { from: '1:1:' }),
];
