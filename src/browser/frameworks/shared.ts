import djr, {
  type Connection,
  type ConnectOptions,
  type DjrEvent,
  type JoinOptions,
  type Message,
  type Registered,
  type Room,
  type State,
} from '../client.js';

/** What the client itself says, beside the app's own events. */
export interface OwnEvents {
  connected: object;
  disconnected: { reason?: string };
  reset: { reason: string };
}

type Known = Registered & Omit<OwnEvents, keyof Registered>;

export type Type = keyof Known & string;

/** Gets an event's detail, and the DOM event, which has `id` and `createdAt`. */
export type Callback<T extends Type> = (detail: Message<Known[T], T>, event: DjrEvent<Message<Known[T], T>>) => void;

/** What a connection does, and the reason of the last `djr:reset`, if there was one. */
export type ConnectionView = State & { readonly reset?: string };

/** A room as a component shows it. */
export type RoomView = Pick<Room, 'state' | 'presence'>;

export interface RoomOptions extends JoinOptions {
  /** Called for each event of these types that the room has. */
  on?: { [T in keyof Registered & string]?: (...heard: Parameters<Callback<T>>) => void };
}

export const CONNECTING: ConnectionView = { state: 'connecting' };
export const JOINING: RoomView = { state: 'joining', presence: undefined };
export const LEFT: RoomView = { state: 'left', presence: undefined };

let holders = 0;
let connection: Connection<Registered> | undefined;
let wanted: ConnectOptions<Registered> = {};

/** Keeps the page connected as long as any component needs it. A strict mode or a change of page releases it for a moment only, so the connection is closed in a later turn. */
function hold(options?: ConnectOptions<Registered>): () => void {
  holders++;
  wanted = { ...options, ...wanted };
  // Connecting waits until all components that are shown together have given their options, the outer ones too.
  queueMicrotask(() => {
    // The app may have closed the connection meanwhile, as on a logout.
    if (holders && (connection?.readyState ?? 2) === 2) connection = djr.connect(wanted);
  });
  return () => {
    setTimeout(() => {
      if (--holders) return;
      connection?.close();
      connection = undefined;
      wanted = {};
    });
  };
}

/** Calls back for each event of a type. @param latest - returns the current callback. @returns a function that ends it */
export function watchEvent<T extends Type>(type: T, latest: () => Callback<T>): () => void {
  const release = hold();
  const end = djr.subscribe(type as never, (...heard: unknown[]) => latest()(...(heard as Parameters<Callback<T>>)));
  return () => {
    end();
    release();
  };
}

/** Connects the page and calls back when the connection's state changes, or the page must reset. @returns a function that ends it */
export function watchConnection(
  options: ConnectOptions<Registered>,
  changed: (view: ConnectionView) => void,
): () => void {
  const release = hold(options);
  let reset: string | undefined;
  let state: State = connection?.state ?? CONNECTING;
  const tell = () => changed({ ...state, ...(reset !== undefined && { reset }) });
  const onState = ({ detail }: CustomEvent) => {
    const { type: _, ...next } = detail;
    state = next;
    tell();
  };
  const onReset = ({ detail }: CustomEvent) => {
    reset = detail.reason;
    tell();
  };
  addEventListener('djr:state', onState);
  addEventListener('djr:reset', onReset);
  queueMicrotask(() => {
    state = connection?.state ?? state;
    tell();
  });
  return () => {
    removeEventListener('djr:state', onState);
    removeEventListener('djr:reset', onReset);
    release();
  };
}

/** Joins a topic and calls back when its state or presence changes. @param latest - returns the current options. @returns a function that leaves the room */
export function watchRoom(topic: string, latest: () => RoomOptions, changed: (view: RoomView) => void): () => void {
  const release = hold();
  const { onLeft: _, on, ...options } = latest();
  const room = djr.join(topic, { ...options, onLeft: (reason) => latest().onLeft?.(reason) }) as Room;
  const tell = () => changed({ state: room.state, presence: room.presence });
  room.on('state', tell);
  room.on('presence', tell);
  for (const type of Object.keys(on ?? {})) {
    room.on(type, (...heard) =>
      (latest().on as Record<string, ((...heard: unknown[]) => void) | undefined>)?.[type]?.(...heard),
    );
  }
  tell();
  return () => {
    room.leave();
    release();
  };
}
