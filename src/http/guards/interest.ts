import type { Audience } from '../../event/audience.js';
import type { Source } from '../../source/source.js';
import { problem, type Reply } from '../reply.js';

/**
 * Asks the source for the events of a client.
 *
 * @param refusalOf - why no stream begins any more: asking may take until the instance is to end
 * @returns what ends it; undefined where every event comes anyway; or why the stream cannot begin
 */
export async function interestIn(
  source: Pick<Source, 'interest'>,
  audiences: () => Iterable<Audience>,
  refusalOf: () => Reply | undefined,
): Promise<(() => void) | undefined | Reply> {
  if (!source.interest) return undefined;
  try {
    const end = await source.interest(audiences());
    const refusal = refusalOf();
    if (refusal) end();
    return refusal ?? end;
  } catch {
    return problem(503, 'The relay cannot be read yet; try again.', { 'Retry-After': '2' });
  }
}
