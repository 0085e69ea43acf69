/**
 * The torture test, alone and at length.
 *
 *   npm run test:torture -- [--seconds 150] [--seed 1] [--readers 200] [--browsers 6] [--rate 200] [--storage off] [--relay [--servers 1] [--interest own]] [--verbose]
 */
import { parseArgs } from 'node:util';
import { isSound, table, torture } from './torture.js';

const { values } = parseArgs({
  options: {
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
for (const line of [...result.foreign, ...result.lost, ...result.disorder, ...result.browserRepeats].slice(0, 50))
  process.stdout.write(`${line}\n`);
process.exit(isSound(result) ? 0 : 1);
