/** The torture test, alone and at length: `npm run test:torture -- --help`. */
import { parseArgs } from 'node:util';
import { isSound, table, torture } from './torture.js';

const HELP = `Writers, readers, browsers and faults against each other; then what each reader got is compared with what was for it.

Usage: npm run test:torture -- [options]

  --seconds <number>   how long harm is done (default: 150; 20 is a short run)
  --seed <number>      the seed of an earlier run, whose choices come again (default: another each time)
  --readers <number>   bare readers (default: 200)
  --browsers <number>  tabs of Chromium (default: 6; none with storage off)
  --rate <number>      events a second that the writers aim at (default: 200)
  --storage off        events by NOTIFY alone, and what is promised then
  --relay              two edges beside the instances, on a relay
  --servers 1          of one nats-server instead of three
  --interest own       both edges ask for the events of their own clients only; all: neither does (default: one does)
  --verbose            says what happens, to stderr
  --help               this text

Of the writers' events one in a hundred is larger than NOTIFY can carry, and one in eight has no row (store => false); with storage off
there are none of both.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '150' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    readers: { type: 'string', default: '200' },
    browsers: { type: 'string', default: '6' },
    rate: { type: 'string', default: '200' },
    storage: { type: 'string', default: 'on' },
    relay: { type: 'boolean', default: false },
    servers: { type: 'string', default: '3' },
    interest: { type: 'string', default: 'both' },
    verbose: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const storage = values.storage !== 'off';
// What a page makes of a reset is the app's: without storage the bare readers tell enough.
const browsers = storage ? Number(values.browsers) : 0;
process.stdout.write(
  `seed ${values.seed}, ${values.seconds} s, ${values.readers} readers, ${browsers} browser tabs, storage ${values.storage}\n`,
);
const result = await torture({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  readers: Number(values.readers),
  browsers,
  storage,
  relay: values.relay ? (values.servers === '1' ? 1 : 3) : 0,
  interest: values.interest as 'all' | 'own' | 'both',
  rate: Number(values.rate),
  log: (line) => values.verbose && process.stderr.write(`${line}\n`),
});
process.stdout.write(`${table(result)}\n`);
for (const line of [
  ...result.foreign,
  ...result.lost,
  ...result.disorder,
  ...result.passingFaults,
  ...result.browserRepeats,
].slice(0, 50))
  process.stdout.write(`${line}\n`);
process.exit(isSound(result) ? 0 : 1);
