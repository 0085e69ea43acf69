import {
  type MaybeRefOrGetter,
  onBeforeUnmount,
  onMounted,
  type ShallowRef,
  shallowReadonly,
  shallowRef,
  toValue,
  watch,
} from 'vue';
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

/** Begins when the component is mounted, which never happens on a server. */
function whileMounted(begin: () => () => void): void {
  let end = () => {};
  onMounted(() => {
    end = begin();
  });
  onBeforeUnmount(() => end());
}

/** Calls back for each event of a type while the component is mounted; `reset`, `connected` and `disconnected` are such types, too. */
export function useEvent<T extends Type>(type: T, callback: Callback<T>): void {
  whileMounted(() => watchEvent(type, () => callback));
}

/** Connects the page while the component is mounted. @returns the state of the connection */
export function useConnection(options: ConnectOptions<Registered> = {}): Readonly<ShallowRef<ConnectionView>> {
  const view = shallowRef(CONNECTING);
  whileMounted(() =>
    watchConnection(options, (next) => {
      view.value = next;
    }),
  );
  return shallowReadonly(view);
}

/**
 * Hears a topic while the component is mounted.
 *
 * @param topic - a text, a ref or a getter; null or undefined: none yet
 * @param options - as of `djr.join`, and `on`: what to call for which type
 * @returns the room's state and presence
 */
export function useRoom(
  topic: MaybeRefOrGetter<string | null | undefined>,
  options: RoomOptions = {},
): Readonly<ShallowRef<RoomView>> {
  const view = shallowRef(JOINING);
  const show = (next: RoomView) => {
    view.value = next;
  };
  whileMounted(() => {
    let leave = () => {};
    const hear = (name: string | null | undefined) => {
      leave();
      leave = name ? watchRoom(name, () => options, show) : () => {};
      if (!name) show(LEFT);
    };
    const stop = watch(() => toValue(topic), hear, { immediate: true });
    return () => {
      stop();
      leave();
    };
  });
  return shallowReadonly(view);
}
