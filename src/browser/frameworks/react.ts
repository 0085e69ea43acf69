import { useEffect, useRef, useState } from 'react';
import type { ConnectOptions, Registered } from '../client.js';
import {
  type Callback,
  CONNECTING,
  type ConnectionView,
  JOINING,
  LEFT,
  type RoomOptions,
  type RoomView,
  type Type,
  watchConnection,
  watchEvent,
  watchRoom,
} from './shared.js';

export type { Callback, ConnectionView, OwnEvents, RoomOptions, RoomView } from './shared.js';

/** The value of the last rendering, for callbacks that run between two renderings. */
function useLatest<Value>(value: Value): () => Value {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return () => latest.current;
}

/** Calls back for each event of a type while the component is mounted; `reset`, `connected` and `disconnected` are such types, too. */
export function useEvent<T extends Type>(type: T, callback: Callback<T>): void {
  const latest = useLatest(callback);
  useEffect(() => watchEvent(type, latest), [type]);
}

/** Connects the page while the component is mounted, with the options of its first rendering. @returns the state of the connection */
export function useConnection(options: ConnectOptions<Registered> = {}): ConnectionView {
  const [view, show] = useState(CONNECTING);
  useEffect(() => watchConnection(options, show), []);
  return view;
}

/**
 * Hears a topic while the component is mounted.
 *
 * @param topic - null or undefined: none yet
 * @param options - as of `djr.join`, and `on`: what to call for which type
 * @returns the room's state and presence
 */
export function useRoom(topic: string | null | undefined, options: RoomOptions = {}): RoomView {
  const latest = useLatest(options);
  const [view, show] = useState(JOINING);
  useEffect(() => (topic ? watchRoom(topic, latest, show) : show(LEFT)), [topic]);
  return view;
}
