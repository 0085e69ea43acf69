/**
 * Memory over rounds of clients that come, get events and leave.
 *
 *   npm run test:soak                              10,000 clients, 1,000,000 deliveries in four rounds
 *   npm run test:soak -- --minutes 10 --clients 2000
 *
 * Ends with 1 when the heap has grown by more than the margin, or an event was lost.
 */
import { parseArgs } from 'node:util';
import { growth, type SoakRound, soak } from './soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    clients: { type: 'string', default: '10000' },
    events: { type: 'string', default: '25' },
    margin: { type: 'string', default: '4' },
  },
});
const number = (name: 'minutes' | 'clients' | 'events' | 'margin'): number => {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} is a number above 0.\n`);
  process.exit(2);
};
const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

const [clients, events, margin] = [number('clients'), number('events'), number('margin')];
const minutes = values.minutes === undefined ? undefined : number('minutes');
const started = performance.now();
const minutesNow = () => (performance.now() - started) / 60_000;

process.stdout.write(`${clients} clients and ${events} events a round; heap after collections, when they have left\n`);
process.stdout.write('round  minutes  heap MiB  RSS MiB  deliveries  failures\n');
let done = 0;
const onRound = ({ heap, rss, deliveries, failures }: SoakRound) => {
  done += 1;
  const cells = [done, minutesNow().toFixed(1), megabytes(heap), megabytes(rss), deliveries, failures];
  process.stdout.write(
    `${cells.map((cell, place) => String(cell).padStart([5, 7, 8, 7, 10, 8][place]!)).join('  ')}\n`,
  );
};
const rounds = await soak({
  clients,
  events,
  onRound,
  rounds: (count) => (minutes === undefined ? count < 4 : minutesNow() < minutes),
});

const grown = growth(rounds);
const deliveries = rounds.reduce((sum, round) => sum + round.deliveries, 0);
const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
process.stdout.write(`${deliveries} deliveries; the heap has grown by ${megabytes(grown)} MiB (at most ${margin})\n`);
if (failures > 0) process.stdout.write(`${failures} events or connections went wrong\n`);
process.exitCode = failures > 0 || grown > margin * 2 ** 20 ? 1 : 0;
