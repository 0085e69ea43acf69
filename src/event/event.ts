/** Who gets an event: one user, every client, the clients that may hear a topic, or backend subscribers only. */
export type Scope = 'user' | 'public' | 'topic' | 'system';

/** A JSON object. */
export type Detail = { [key: string]: unknown };

/** The map of event types that holds if you name none of your own: any type with any detail. */
export type EventMap = Record<string, Detail>;

/** What a map of your own must look like. It may be an interface: `interface Events { task_complete: { task_id: number } }`. */
export type EventsOf<Events> = { [Type in keyof Events]: object };

/** One published event, as hooks and subscribers see it. `private_data` never leaves the database. */
export interface Event<Type extends string = string, D extends object = Detail> {
  /** The number that `djr.publish` returned. */
  readonly id: number;
  type: Type;
  scope: Scope;
  /** The user of a `user` event, perhaps of a `system` one; else null. */
  userId: string | null;
  /** The topic of a `topic` event; else null. */
  topic: string | null;
  detail: D;
  /** When it was inserted, by the database's clock. */
  readonly createdAt: Date;
}

/** The union of all events of a map, so that `switch (event.type)` narrows `event.detail`. */
export type EventOf<Events extends EventsOf<Events>> = {
  [T in keyof Events & string]: Event<T, Events[T]>;
}[keyof Events & string];
