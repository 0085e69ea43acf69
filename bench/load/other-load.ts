import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** A part of all processors that may be busy: what any machine does by itself. */
export const QUIET = 0.05;

const times = () =>
  cpus().reduce(
    (sum, { times: { idle, ...busy } }) => ({
      idle: sum.idle + idle,
      busy: sum.busy + Object.values(busy).reduce((all, one) => all + one, 0),
    }),
    { idle: 0, busy: 0 },
  );

/** Which part of the processors' time goes to others while nothing is measured: 0 to 1, over a second. */
export async function otherLoad(): Promise<number> {
  const before = times();
  await setTimeout(1000);
  const after = times();
  const busy = after.busy - before.busy;
  return busy / (busy + after.idle - before.idle);
}
