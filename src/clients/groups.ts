import type { Audience } from '../event/audience.js';
import type { Client } from './client.js';

/** Clients that get the same audiences' events in a turn. */
export interface Group {
  readonly audiences: readonly Audience[];
  readonly clients: Client[];
}

/**
 * @param keys - of each client the places of its audiences in the turn, with commas
 * @param audiences - of the turn
 */
export function groupsOf(keys: ReadonlyMap<Client, string>, audiences: readonly Audience[]): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const [client, key] of keys) {
    const group = groups.get(key);
    if (group) group.clients.push(client);
    else groups.set(key, { audiences: key.split(',').map((place) => audiences[Number(place)]!), clients: [client] });
  }
  return groups.values();
}
