import type { Audience } from '../event/audience.js';
import type { Client } from './client.js';

/** Clients that get the same audiences' events in a turn. */
export interface Group {
  readonly audiences: readonly Audience[];
  readonly clients: readonly Client[];
}

/**
 * Groups clients by which audiences they have.
 *
 * @param clientsOf - of each audience, in their order
 */
export function groupsOf(clientsOf: readonly Iterable<Client>[], audiences: readonly Audience[]): Iterable<Group> {
  // The places of a client's audiences, with commas: an audience may have any character, a key must not.
  const keys = new Map<Client, string>();
  for (const [place, clients] of clientsOf.entries()) {
    for (const client of clients) {
      const before = keys.get(client);
      keys.set(client, before === undefined ? String(place) : `${before},${place}`);
    }
  }
  const groups = new Map<string, { audiences: Audience[]; clients: Client[] }>();
  for (const [client, key] of keys) {
    const group = groups.get(key);
    if (group) group.clients.push(client);
    else groups.set(key, { audiences: key.split(',').map((place) => audiences[Number(place)]!), clients: [client] });
  }
  return groups.values();
}
