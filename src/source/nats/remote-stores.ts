import type { PresenceStore } from '../../clients/topics/presence.js';
import type { Revocation } from '../../clients/topics/seal.js';
import type { Answers, TopicStore } from '../../clients/topics/topic-store.js';
import type { Engine } from '../../relay/engine.js';
import { request } from '../../relay/requests.js';

/** Seal keys, as they go from a source to an edge: by request, and never into the log. */
export interface PermissionsText {
  readonly keys: readonly { readonly id: string; readonly inner: string; readonly outer: string }[];
  readonly revocations: readonly Revocation[];
}

/** What a source says of topics. */
export function remoteTopics(engine: () => Engine): TopicStore {
  return {
    async permissions() {
      const { keys, revocations } = await request<PermissionsText>(engine(), 'permissions', {});
      return {
        keys: keys.map(({ id, inner, outer }) => ({
          id,
          inner: Buffer.from(inner, 'hex'),
          outer: Buffer.from(outer, 'hex'),
        })),
        revocations: [...revocations],
      };
    },
    authorize: (questions, milliseconds) =>
      request<Answers>(engine(), 'authorize', { questions, milliseconds }, milliseconds),
  };
}

/** What presence is kept in, by way of a source. @param instance - whose counts these are */
export function remotePresence(engine: () => Engine, instance: string): PresenceStore {
  return {
    report: (counts, afresh) => request(engine(), 'presence', { instance, counts, afresh }),
    async usersOf(topics) {
      return new Map(await request<[string, string[]][]>(engine(), 'users', topics));
    },
  };
}
