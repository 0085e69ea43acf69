/**
 * Checks a server, or a client, against the rules of the wire.
 *
 *   npm run test:conformance -- server --endpoint URL --database URL [--second URL] [--login 'x-user: {user}']
 *   npm run test:conformance -- client --command 'node my-client.js'
 */
import { parseArgs } from 'node:util';
import { clientCases, serverCases } from './case.js';
import { command, runClientCases } from './client-runner.js';
import { type Outcome, runServerCases } from './server-runner.js';

const USAGE = `Checks a server, or a client, against the rules of djr's wire. test/conformance/README.md has the words of the cases.

  npm run test:conformance -- server --endpoint URL --database URL [options]
      --endpoint URL      where its routes are: http://127.0.0.1:8000/realtime/
      --database URL      the database that it reads, by a role that may publish and seal
      --second URL        another instance on the same database
      --login HEADER      how a request says who it is from (default: "x-user: {user}")

  npm run test:conformance -- client --command COMMAND [options]
      --command COMMAND   starts the client; the stream's address is its last argument. It prints a line
                          {"type": "order_paid", "detail": {…}} for each event, and {"type": "reset"} for a reset

  Both:
      --patience MS       how long to wait for what must come (default: 10000)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    endpoint: { type: 'string' },
    second: { type: 'string' },
    database: { type: 'string' },
    login: { type: 'string', default: 'x-user: {user}' },
    command: { type: 'string' },
    patience: { type: 'string', default: '10000' },
    help: { type: 'boolean', short: 'h' },
  },
});

const tell = ({ result, what, name, reason }: Outcome) => {
  const mark = { passed: '✔', failed: '✘', 'left out': '-' }[result];
  process.stdout.write(`${mark} ${what}${reason ? `\n    ${name}: ${reason}` : ''}\n`);
};

async function run(): Promise<Outcome[] | undefined> {
  const { endpoint, second, database, login } = values;
  const patience = Number(values.patience);
  if (values.help || !(patience > 0)) return undefined;
  if (positionals[0] === 'server' && endpoint && database) {
    return runServerCases(await serverCases(), { endpoint, second, database, login, patience }, tell);
  }
  if (positionals[0] === 'client' && values.command) {
    return runClientCases(await clientCases(), { start: command(values.command), patience }, tell);
  }
  return undefined;
}

const outcomes = await run();
if (!outcomes) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const count = (result: Outcome['result']) => outcomes.filter((outcome) => outcome.result === result).length;
  process.stdout.write(`\n${count('passed')} passed, ${count('failed')} failed, ${count('left out')} left out\n`);
  if (count('failed') > 0) process.exitCode = 1;
}
