import { safely } from './page.js';
import type { Topics, TopicsHost } from './topics/contract.js';

/** The part of the client that knows topics, as a page loads it. */
type Part = Partial<Record<'topics1', (host: TopicsHost) => Topics>>;

/** Milliseconds after which a part that could not be had is asked for again, doubled each time. */
const FIRST_RETRY = 2000;
const LONGEST_RETRY = 60_000;

/** How the part is had: the script and the module, each of which is an entry of its own, put their way here. */
export const parts: { topics?: () => Promise<Part> } = {};

let loaded: Promise<NonNullable<Part['topics1']>> | undefined;

/** Loads the part once for all connections. It goes on trying until it has it. */
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
