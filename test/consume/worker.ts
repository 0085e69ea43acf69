/**
 * A process that consumes `billing` into the table `effect`, and is killed by a test. `DJR_STEP` says where it stops by itself, as
 * though it had been killed there: before, in or behind the handler; or it goes on for ever.
 */
import { createRealtime } from '../../src/index.js';

const [url, step = 'never', share = ''] = process.argv.slice(2);
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
};
let batches = 0;
const realtime = createRealtime<Record<string, { n: number }>>({ database: url!, sweepInterval: 50 });
realtime.consume(
  'billing',
  async (events, { client }) => {
    batches += 1;
    const isTime = batches === 2;
    if (isTime && step === 'begun') die();
    for (const { detail } of events) await client.query('insert into effect values ($1, $2)', [detail.n, process.pid]);
    if (isTime && step === 'handled') die();
    if (isTime && step === 'committing') {
      // The next statement is the commit: it is on its way, and nobody reads the answer.
      const query = client.query.bind(client) as (text: string) => Promise<unknown>;
      (client as { query: unknown }).query = (text: string) => {
        const sent = query(text);
        setImmediate(die);
        return sent;
      };
    }
    if (isTime && step === 'aborted') throw new Error('the second batch fails');
  },
  { batch: 7, pollInterval: 50, share: share === 'share' },
);
process.send?.('started');
