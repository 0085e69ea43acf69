import test from 'ava';
import { openServer } from '../../bench/database.js';
import { FrameReader } from '../../bench/load/frames.js';
import { failures, type Report } from '../../bench/report/report.js';
import { table } from '../../bench/report/table.js';
import { range } from '../../bench/scenarios/range.js';
import type { Scenario } from '../../bench/scenarios/scenario.js';
import { storms } from '../../bench/scenarios/storms.js';
import { transports } from '../../bench/scenarios/transports.js';
import { runScenario, type SuiteOptions } from '../../bench/suite.js';
import { serverUrl } from '../helpers/database.js';

async function run(scenario: Scenario, options: SuiteOptions): Promise<Report['scenarios'][number]> {
  const server = await openServer(serverUrl());
  try {
    return await runScenario(server, scenario, options);
  } finally {
    await server.close();
  }
}

test('All clients of a process hear an event, and a deploy moves all of them without a loss', async (t) => {
  const steps: string[] = [];
  const report = await run(range, {
    size: { clients: 6, seconds: 0.1 },
    variants: ['6 connections'],
    onStep: (_scenario, _variant, what) => steps.push(what),
  });
  t.deepEqual(failures({ scenarios: [report] } as unknown as Report), []);
  const { metrics } = report.variants[0]!;
  t.true(metrics.firstAfter! <= metrics.lastAfter!);
  t.true(metrics.moved! > 0);
  t.true(steps.some((step) => step.startsWith('6 moved')));
});

test('A run that needs more open files than a process may have says what must be set, and runs nothing', async (t) => {
  const report = await run(range, { size: { clients: 2_000_000_000, seconds: 0.1 }, variants: ['connections'] });
  t.deepEqual(failures({ scenarios: [report] } as unknown as Report), []);
  t.regex(
    Object.values(report.notRun ?? {}).join(),
    /^a process must be allowed 2000000200 open files \(it is allowed \d+\): ulimit -Hn/,
  );
  const text = table({ scenarios: [report], machine: {}, postgres: { settings: {} } } as unknown as Report);
  t.regex(text, /connections was not run: a process must be allowed/);
});

test('A storm finds what it missed from the history of another instance, and behind a query for the session', async (t) => {
  const report = await run(storms, {
    size: { clients: 20, rounds: 1 },
    variants: ['history', 'storage, session'],
  });
  t.deepEqual(failures({ scenarios: [report] } as unknown as Report), []);
  const queries = (name: string) => report.variants.find((variant) => variant.name === name)!.metrics.queries!;
  t.true(queries('storage, session') >= 20 + queries('history'), 'a session each');
});

test('Streams of TLS, and of HTTP/2 behind a proxy, get every event', async (t) => {
  const variants = ['node:https', 'nginx, HTTP/2'];
  const report = await run(transports, { size: { clients: 8, seconds: 0.5, rounds: 1 }, variants });
  t.deepEqual(failures({ scenarios: [report] } as unknown as Report), []);
  for (const { name, metrics } of report.variants) {
    if (report.notRun?.[name] === undefined) t.true(metrics.p50! > 0, name);
  }
});

test('A reader that keeps its place knows when and where it is to come back', (t) => {
  const reader = new FrameReader();
  reader.keepId = true;
  reader.status = 200;
  const batch = { length: 0, n: [], t: [], u: [], add() {} };
  reader.read(Buffer.from('retry: 2500\n\nid: 7-a.1.2\ndata: {"n":1,"t":2}\n\nretry: 900\n\n'), batch as never);
  t.is(reader.lastId, '7-a.1.2');
  t.is(reader.retry, 900);
});
