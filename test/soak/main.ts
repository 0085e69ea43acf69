/**
 * What is left over rounds of clients that come, get events and leave.
 *
 *   npm run test:soak                              10,000 clients, 1,000,000 deliveries in four rounds
 *   npm run test:soak -- --minutes 10 --clients 2000
 *
 * Ends with 1 when something has grown by more than its margin, or an event was lost.
 */
import { parseArgs } from 'node:util';
import { type SoakRound, shares, soak } from './soak.js';
import { excesses, table } from './table.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    clients: { type: 'string', default: '10000' },
    events: { type: 'string', default: '25' },
    margin: { type: 'string', default: '4' },
  },
});
const refuse = (reason: string): never => {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
};
const number = (name: 'minutes' | 'clients' | 'events' | 'margin'): number => {
  const value = Number(values[name]);
  return Number.isFinite(value) && value > 0 ? value : refuse(`--${name} is a number above 0.`);
};
const [clients, events, margin] = [number('clients'), number('events'), number('margin')];
const minutes = values.minutes === undefined ? undefined : number('minutes');

/** The first third of the rounds is compared with the last. */
const LEAST_ROUNDS = 3;
const ROUNDS = 4;

// Each client is a file of the server's process and one of the clients'.
const files = Number((process.report.getReport() as Report).userLimits?.open_files.soft);
const { back, stalled, aborted } = shares(clients);
const needed = clients + back + stalled + aborted + 200;
if (files < needed)
  refuse(`${clients} clients need ${needed} open files, and a process may have ${files}: ulimit -n ${needed}`);

interface Report {
  userLimits?: { open_files: { soft: number | 'unlimited' } };
}

// `exit` handlers end what was started: the database server and every process.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

const started = performance.now();
const minutesNow = () => (performance.now() - started) / 60_000;
let deliveries = 0;
const onRound = (done: SoakRound, count: number) => {
  const name = count > 0 ? `round ${count}` : 'a round to warm up';
  deliveries += count > 0 ? done.deliveries : 0;
  const heap = `heap ${(done.heap / 2 ** 20).toFixed(1)} MiB`;
  const of = minutes === undefined ? '' : ` of ${minutes}`;
  process.stderr.write(
    `${minutesNow().toFixed(1)}${of} minutes: ${name}, ${heap}, ${deliveries.toLocaleString('en')} deliveries\n`,
  );
};

process.stdout.write(
  `${clients} clients and ${events} events a round; ${back} come back twice, ${stalled} stall, ${aborted} break off\n`,
);
const rounds = await soak({
  clients,
  events,
  onRound,
  rounds: (done) => (minutes === undefined ? done < ROUNDS : done < LEAST_ROUNDS || minutesNow() < minutes),
});

process.stdout.write(`${table(rounds, margin)}\n`);
const wrong = [...rounds.flatMap(({ failures }) => failures), ...excesses(rounds, margin)];
for (const line of wrong.slice(0, 50)) process.stdout.write(`${line}\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;
