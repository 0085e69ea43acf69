/** Nearly all clients have one of these two. They share the two strings, because strings are compared for every delivery. */
const PLAIN = ':';
const NAMED = 'named:';

/**
 * The variant of a client: clients of the same variant get the same bytes for an event.
 *
 * @param options - `types`: the types that the client asked for; null: all
 */
export function variantOf({ named, types }: { named: boolean; types: ReadonlySet<string> | null }): string {
  const kind = named ? NAMED : PLAIN;
  return types ? kind + [...types].sort().join(',') : kind;
}
