import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse } from 'yaml';
import { findProgram, testWith } from '../helpers/debian.js';

const promtool = findProgram('promtool');
const withPromtool = testWith(promtool !== undefined);
const rules = fileURLToPath(new URL('../../docs/alerts.yaml', import.meta.url));

const ONE = 'instance="a:8000",job="djr"';

/** An alert, the series that raise it, and the labels that it is raised with beside its severity. */
const CASES: [alert: string, series: Record<string, string>, labels: Record<string, string>][] = [
  ['DjrDown', { [`up{${ONE}}`]: '0x20' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrAbsent', {}, { job: 'djr' }],
  [
    'DjrWorkerHangs',
    { [`djr_workers{${ONE},state="hung"}`]: '1x20' },
    { instance: 'a:8000', job: 'djr', state: 'hung' },
  ],
  ['DjrWorkerHangs', { [`djr_workers_replaced_total{${ONE}}`]: '0x14 1x5' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrOutOfFiles', { [`djr_open_files_exhausted_total{${ONE}}`]: '0x16 5x5' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrUnhealthy', { [`djr_healthy{${ONE}}`]: '0x20' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrNotifyQueueFills', { [`djr_notify_queue_usage_ratio{${ONE}}`]: '0.2x20' }, {}],
  ['DjrNotifyQueueHalfFull', { [`djr_notify_queue_usage_ratio{${ONE}}`]: '0.6x20' }, {}],
  ['DjrListenNotHeard', { [`djr_listen_heard{${ONE}}`]: '0x20' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrReconnects', { [`djr_reconnects_total{${ONE}}`]: '0x12 2+2x8' }, { instance: 'a:8000', job: 'djr' }],
  [
    'DjrLag',
    {
      [`djr_event_lag_seconds_bucket{${ONE},le="1"}`]: '0x20',
      [`djr_event_lag_seconds_bucket{${ONE},le="2.5"}`]: '0+9x20',
      [`djr_event_lag_seconds_bucket{${ONE},le="+Inf"}`]: '0+9x20',
    },
    { instance: 'a:8000' },
  ],
  ['DjrSweepsFail', { [`djr_sweep_failures_total{${ONE}}`]: '0+1x20' }, { instance: 'a:8000', job: 'djr' }],
  [
    'DjrResets',
    {
      [`djr_resume_duration_seconds_count{${ONE},source="reset"}`]: '0+1x30',
      [`djr_resume_duration_seconds_count{${ONE},source="memory"}`]: '0+1x30',
    },
    {},
  ],
  [
    'DjrSlowClients',
    { [`djr_connections_closed_total{${ONE},reason="slow"}`]: '0+600x30', [`djr_connections{${ONE}}`]: '100x30' },
    { instance: 'a:8000' },
  ],
  [
    'DjrFull',
    { [`djr_requests_refused_total{${ONE},status="503"}`]: '0+1x20' },
    { instance: 'a:8000', job: 'djr', status: '503' },
  ],
  [
    'DjrHookErrors',
    { [`djr_hook_errors_total{${ONE},hook="onReceive"}`]: '0+1x20' },
    { instance: 'a:8000', hook: 'onReceive' },
  ],
  ['DjrConsumerOvertaken', { [`djr_consumer_overtaken{${ONE},consumer="billing"}`]: '1x20' }, { consumer: 'billing' }],
  [
    'DjrConsumerBehind',
    { [`djr_consumer_age_seconds{${ONE},consumer="billing"}`]: '4000x20' },
    { consumer: 'billing' },
  ],
  ['DjrGarbage', { [`djr_garbage_total{${ONE}}`]: '0x16 1x5' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrPoolExhausted', { [`djr_pool_waiting{${ONE}}`]: '3x20' }, { instance: 'a:8000', job: 'djr' }],
  ['DjrActivityDropped', { [`djr_activity_dropped_total{${ONE}}`]: '0x16 1x5' }, { instance: 'a:8000', job: 'djr' }],
];

/** An instance with which all is well. */
const QUIET = {
  [`up{${ONE}}`]: '1x30',
  [`djr_healthy{${ONE}}`]: '1x30',
  [`djr_listen_heard{${ONE}}`]: '1x30',
  [`djr_workers{${ONE},state="serving"}`]: '4x30',
  [`djr_workers{${ONE},state="hung"}`]: '0x30',
  [`djr_connections{${ONE}}`]: '100x30',
  [`djr_requests_refused_total{${ONE},status="503"}`]: '0x30',
  [`djr_notify_queue_usage_ratio{${ONE}}`]: '0.01x30',
  [`djr_consumer_overtaken{${ONE},consumer="billing"}`]: '0x30',
  [`djr_consumer_age_seconds{${ONE},consumer="billing"}`]: '20x30',
};

const AT = '19m';

const input = (series: Record<string, string>) =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }));

withPromtool('every alert is raised by what it is for, and none by an instance with which all is well', async (t) => {
  const { groups } = parse(await readFile(rules, 'utf8'));
  const severity = new Map<string, string>(
    groups[0].rules.map(({ alert, labels }: { alert: string; labels: { severity: string } }) => [
      alert,
      labels.severity,
    ]),
  );
  t.deepEqual([...new Set(CASES.map(([alert]) => alert))].sort(), [...severity.keys()].sort());
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'djr-alerts-')), 'alerts.test.yaml');
  t.teardown(() => rm(path.dirname(file), { recursive: true }));
  const raised = CASES.map(([alert, series, labels]) => {
    const all = { alertname: alert, alertstate: 'firing', severity: severity.get(alert)!, ...labels };
    const names = Object.entries(all).map(([name, value]) => `${name}="${value}"`);
    const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`;
    return {
      interval: '1m',
      input_series: input(series),
      promql_expr_test: [{ expr, eval_time: AT, exp_samples: [{ labels: `ALERTS{${names.join(',')}}`, value: 1 }] }],
    };
  });
  const quiet = {
    interval: '1m',
    input_series: input(QUIET),
    promql_expr_test: [{ expr: 'ALERTS', eval_time: AT, exp_samples: [] }],
  };
  await writeFile(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [...raised, quiet] }));
  const { status, stdout, stderr } = spawnSync(promtool!, ['test', 'rules', file], { encoding: 'utf8' });
  t.is(status, 0, `${stdout}${stderr}`);
});

withPromtool('promtool finds nothing wrong with the rules', (t) => {
  const { status, stdout, stderr } = spawnSync(promtool!, ['check', 'rules', rules], { encoding: 'utf8' });
  t.is(status, 0, `${stdout}${stderr}`);
});

test('the dashboard names the worker of each series that is of one process', async (t) => {
  const dashboard = JSON.parse(await readFile(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8'));
  for (const { targets } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      if (!/^(sum|max|min|count|histogram_quantile)\b/.test(expr)) t.regex(legendFormat, /\{\{worker\}\}/, expr);
    }
  }
});
