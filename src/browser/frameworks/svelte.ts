import { onMount } from 'svelte';
import { type Readable, readable } from 'svelte/store';
import type { ConnectOptions, Registered } from '../client.js';
import {
  type Callback,
  CONNECTING,
  type ConnectionView,
  JOINING,
  type RoomOptions,
  type RoomView,
  type Type,
  watchConnection,
  watchEvent,
  watchRoom,
} from './shared.js';

export type { Callback, ConnectionView, OwnEvents, RoomOptions, RoomView } from './shared.js';

/** A store that is updated while the component is mounted, whether or not its template reads it. On a server, where no component is mounted, its value is `first`. */
function whileMounted<View>(first: View, begin: (show: (view: View) => void) => () => void): Readable<View> {
  const store = readable(first, (show) => (typeof window === 'undefined' ? undefined : begin(show)));
  onMount(() => store.subscribe(() => {}));
  return store;
}

/** Calls back for each event of a type while the component is mounted; `reset`, `connected` and `disconnected` are such types, too. */
export function useEvent<T extends Type>(type: T, callback: Callback<T>): void {
  onMount(() => watchEvent(type, () => callback));
}

/** Connects the page while the component is mounted. @returns a store with the state of the connection */
export function useConnection(options: ConnectOptions<Registered> = {}): Readable<ConnectionView> {
  return whileMounted(CONNECTING, (show) => watchConnection(options, show));
}

/**
 * Hears a topic while the component is mounted.
 *
 * @param options - as of `djr.join`, and `on`: what to call for which type
 * @returns a store of the room's state and presence
 */
export function useRoom(topic: string, options: RoomOptions = {}): Readable<RoomView> {
  return whileMounted(JOINING, (show) => watchRoom(topic, () => options, show));
}
