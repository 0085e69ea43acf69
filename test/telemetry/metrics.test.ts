import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { byHeader, startApp, startServer } from '../helpers/server.js';

test('metrics count connections, events, deliveries, refusals and hook errors in Prometheus text', async (t) => {
  const { url, query } = await createDatabase(t);
  const realtime = createRealtime({
    database: url,
    authenticate: byHeader,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    beforeSend: (event) => {
      if (event.type === 'broken') throw new Error('on purpose');
      return event;
    },
  });
  const server = await startServer(t, realtime);
  await realtime.start();
  const streams = [await server.streamOf('ada'), await server.streamOf('bob')];
  await query("select djr.publish_global('news'), djr.publish('ada', 'note'), djr.publish('bob', 'broken')");
  await query("select djr.publish_global('last')");
  for (const stream of streams) await stream.event('last');
  const refused = await server.stream('', { headers: { origin: 'https://elsewhere.example' }, early: true });
  await refused.until('an answer', () => refused.status === 403);

  const response = await fetch(`${server.origin}/realtime/metrics`);
  t.regex(response.headers.get('content-type')!, /^text\/plain/);
  const text = await response.text();
  for (const line of [
    'djr_connections 2',
    'djr_events_total 4',
    'djr_deliveries_total{result="sent"} 5',
    'djr_deliveries_total{result="failed"} 1',
    'djr_deliveries_total{result="suppressed"} 0',
    'djr_buffered_bytes 0',
    'djr_delivery_switches_total 0',
    'djr_healthy 1',
    'djr_pool_waiting 0',
    'djr_requests_refused_total{status="403"} 1',
    // What has not happened yet is there with 0, so that the first time is an increase.
    'djr_requests_refused_total{status="401"} 0',
    'djr_requests_refused_total{status="503"} 0',
    'djr_resume_duration_seconds_count{source="reset"} 0',
    'djr_resume_duration_seconds_count{source="storage"} 0',
    'djr_hook_errors_total{hook="onReceive"} 0',
    'djr_connections_closed_total{reason="stalled"} 0',
    'djr_hook_errors_total{hook="beforeSend"} 1',
    'djr_connections_closed_total{reason="slow"} 0',
    'djr_listening 1',
    'djr_delivery_sweeping 0',
    'djr_event_lag_seconds_count 4',
  ]) {
    t.true(text.split('\n').includes(line), `${line} in:\n${text}`);
  }
});

test('metrics tell where resumes came from, sweeps that took their time, and bytes', async (t) => {
  const app = await startApp(t);
  const first = await app.streamOf('ada');
  await app.db.query("select djr.publish('ada', 'one')");
  await first.event('one');
  const again = await app.streamOf('ada', '', { lastEventId: first.lastEventId });
  await app.db.query("select djr.publish('ada', 'two')");
  await again.event('two');
  const lost = await app.streamOf('ada', '?lastEventId=rubbish');
  await lost.until('a reset', () => lost.frames.some(({ data }) => data.type === 'reset'));
  const text = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  t.regex(text, /^djr_resume_duration_seconds_count\{source="memory"\} 1$/m);
  t.regex(text, /^djr_resume_duration_seconds_count\{source="reset"\} 1$/m);
  t.regex(text, /^djr_sweep_duration_seconds_count [1-9]/m);
  t.regex(text, /^djr_sent_bytes_total [1-9]\d\d/m);
  t.notRegex(text, /^process_|^nodejs_/m);
});

test('metrics have those of Node when they are asked for', async (t) => {
  const app = await startApp(t, { nodeMetrics: true });
  t.regex(await (await fetch(`${app.origin}/realtime/metrics`)).text(), /^nodejs_heap_size_used_bytes \d/m);
});

test('metrics count topics, refusals by their reason and failures of the app, and never name a topic', async (t) => {
  const app = await startApp(t, {
    presence: true,
    authorizeTopic: (_, topic) => {
      if (topic === 'broken') throw new Error('on purpose');
      return topic.startsWith('room:');
    },
  });
  const [row] = await app.db.query<{ seal: string }>(`select djr.seal('secret', 'bob') as seal`);
  const seal = encodeURIComponent(row!.seal);
  await app.streamOf('ada', `?topic=room:1&topic=room:2&topic=broken&topic=a%20b&topic=secret&seal=${seal}`);
  await app.streamOf('bob', '?topic=room:2');
  const text = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  for (const line of [
    'djr_topics 2',
    'djr_topics_refused_total{reason="permission"} 1',
    'djr_topics_refused_total{reason="name"} 1',
    'djr_topics_refused_total{reason="user"} 1',
    'djr_topics_refused_total{reason="expired"} 0',
    'djr_topic_authorization_failures_total 1',
    'djr_presence_users 2',
  ]) {
    t.true(text.split('\n').includes(line), `${line} in:\n${text}`);
  }
  t.notRegex(text, /room:1|secret|broken/);
});
