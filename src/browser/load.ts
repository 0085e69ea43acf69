import { safely } from './page.js';
import type { Topics, TopicsHost } from './topics/contract.js';

/** The part of the client that knows topics, as a page loads it. */
type Part = Partial<Record<'topics1', (host: TopicsHost) => Topics>>;

/** Milliseconds before a part that could not be loaded is asked for again, doubled each time up to the longest. */
const FIRST_RETRY = 2000;
const LONGEST_RETRY = 60_000;

/** How the part is loaded. The script and the module, which are entries of their own, each set their own way here. */
export const parts: { topics?: () => Promise<Part> } = {};

let loaded: Promise<NonNullable<Part['topics1']>> | undefined;

/** Loads the part once for all connections, and tries again until it is loaded. */
export function loadTopics(failures = 0): NonNullable<typeof loaded> {
  const attempt = async () => {
    try {
      const { topics1 } = await parts.topics!();
      if (topics1) return topics1;
      throw new Error(
        'djr: the part of the client that knows topics must be of the same version as the client: load the page again',
      );
    } catch (error) {
      safely(() => {
        throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures)));
      return loadTopics(failures + 1);
    }
  };
  if (failures) return attempt();
  loaded ??= attempt();
  return loaded;
}
