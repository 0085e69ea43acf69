import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { openServer } from '../../bench/database.js';
import { failures, type Report } from '../../bench/report/report.js';
import { fanOut } from '../../bench/scenarios/fan-out.js';
import { oneClient } from '../../bench/scenarios/one-client.js';
import { roomChanges } from '../../bench/scenarios/room-changes.js';
import { runScenario } from '../../bench/suite.js';
import { djr, rawFloor } from '../../bench/systems/variants.js';
import { serverUrl } from '../helpers/database.js';
import { until } from '../helpers/server.js';

function bench(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['dist/bench/main.js', '--database-url', serverUrl(), ...args]);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    child.once('error', reject).once('close', (code) => resolve({ code, ...output }));
  });
}

test('a run prints a table and writes its figures and a page that needs nothing else', async (t) => {
  const out = await mkdtemp(path.join(tmpdir(), 'djr-bench-'));
  t.teardown(() => rm(out, { recursive: true }));
  const { code, stdout, stderr } = await bench(
    '--scenario',
    'one-client',
    '--seconds',
    '1',
    '--rounds',
    '1',
    '--out',
    out,
  );

  t.is(code, 0, stderr);
  t.regex(stdout, /^djr +[\d.]+/m);
  const report = JSON.parse(await readFile(path.join(out, 'result.json'), 'utf8')) as Report;
  const variants = report.scenarios[0]!.variants;
  t.deepEqual(
    variants.map(({ name }) => name),
    ['raw floor', 'floor with insert', 'djr'],
  );
  for (const { metrics } of variants)
    t.true(metrics.p50! > 0 && metrics.p50! <= metrics.p99! && metrics.p99! <= metrics.max!);
  t.true(variants[2]!.ratios['raw floor']!.p50! > 0);

  const page = await readFile(path.join(out, 'report.html'), 'utf8');
  t.notRegex(page, /<(script|link|img)[^>]+(src|href)=/);
  t.true(page.includes('uPlot'));

  const again = await bench(
    '--scenario',
    'one-client',
    '--variant',
    'raw',
    '--seconds',
    '1',
    '--rounds',
    '1',
    '--out',
    out,
    '--compare',
    path.join(out, 'result.json'),
  );
  t.is(again.code, 0, again.stderr);
  t.regex(again.stdout, /before +after +after\/before/);
});

test('a run that is ended has left what it had measured', async (t) => {
  const out = await mkdtemp(path.join(tmpdir(), 'djr-bench-'));
  t.teardown(() => rm(out, { recursive: true }));
  const short = ['--variant', 'raw', '--rounds', '1', '--seconds', '1'];
  const args = ['--database-url', serverUrl(), '--scenario', 'one-client', 'burst', ...short, '--out', out];
  const child = spawn(process.execPath, ['dist/bench/main.js', ...args], { stdio: 'ignore' });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  // It is written behind the figures.
  await until('the first scenario is written', () => existsSync(path.join(out, 'report.html')));
  child.kill('SIGTERM');
  t.is(await ended, 143);
  const report = JSON.parse(await readFile(path.join(out, 'result.json'), 'utf8')) as Report;
  t.deepEqual(
    report.scenarios.map(({ name }) => name),
    ['one-client'],
  );
  t.true(report.scenarios[0]!.variants[0]!.metrics.p50! > 0);
});

test('a scenario that is not there is a wrong use', async (t) => {
  const { code, stderr } = await bench('--scenario', 'warp');
  t.is(code, 2);
  t.regex(stderr, /no scenario warp/);
});

test('a lost event fails the run, and so does nothing else', async (t) => {
  const server = await openServer(serverUrl());
  t.teardown(() => server.close());
  const lossy = { ...rawFloor, name: 'lossy', options: { dropEvery: 7 } };
  const report = await runScenario(
    server,
    { ...oneClient, variants: [lossy, djr] },
    { size: { seconds: 1, rounds: 1 } },
  );
  const [first, ...others] = failures({ scenarios: [report] } as Report);
  t.regex(first!, /^one-client, lossy, round 1: \d+ of 100 missing$/);
  t.deepEqual(others, []);
});

test('many clients get every event once, from djr as from the floor', async (t) => {
  const server = await openServer(serverUrl());
  t.teardown(() => server.close());
  const variants = [rawFloor, djr];
  const report = await runScenario(server, { ...fanOut, variants }, { size: { clients: 100, seconds: 1, rounds: 1 } });
  t.deepEqual(failures({ scenarios: [report] } as Report), []);
  for (const { metrics } of report.variants) t.true(metrics.deliveries! > 0);
});

test('clients that change their room at once lose nothing of what is for everybody, and are in the new room alone', async (t) => {
  const server = await openServer(serverUrl());
  t.teardown(() => server.close());
  const variants = roomChanges.variants.filter(({ name }) => name === 'djr, asked in SQL');
  const report = await runScenario(server, { ...roomChanges, variants }, { size: { clients: 30, rounds: 1 } });
  t.deepEqual(failures({ scenarios: [report] } as Report), []);
  t.is(report.variants.length, 1);
  for (const { metrics } of report.variants) t.true(metrics.allAfter! > 0 && metrics.queries! > 0);
});

test('whoever closes its output early, as head does, gets no stack trace', async (t) => {
  const child = spawn(process.execPath, ['dist/bench/main.js', '--list']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  t.is(stderr, '');
  t.is(code, 0);
});
