import type { Audience } from '../event/audience.js';
import type { Client } from './client.js';

/** Clients that get events of the same audiences in one turn. */
export interface Group {
  readonly audiences: readonly Audience[];
  readonly clients: readonly Client[];
}

/**
 * Groups clients by which of the audiences they have.
 *
 * @param clientsOf - the clients of each audience, in the order of the audiences
 */
export function groupsOf(clientsOf: readonly Iterable<Client>[], audiences: readonly Audience[]): Iterable<Group> {
  // The key of a group is made of the places of its audiences and not of their names, which may contain any separator.
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
