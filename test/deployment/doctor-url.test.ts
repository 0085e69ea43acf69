import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram, testWith } from '../helpers/debian.js';
import { doctor, findings, startStage } from './stage.js';

const nginx = findProgram('nginx');

/** What people have in front of djr before they read its documents. */
const bad = (t: Parameters<typeof startStage>[0], location: string) =>
  startStage(t, {
    async configure({ folder, port, certificate, instances }) {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${path.join(folder, kind)};`,
      );
      const file = path.join(folder, 'nginx.conf');
      await writeFile(
        file,
        `daemon off;
worker_processes 1;
pid ${path.join(folder, 'pid')};
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.key};
    location / {
      proxy_pass http://127.0.0.1:${instances[0]};
      ${location}
    }
  }
}`,
      );
      return [nginx!, '-e', 'stderr', '-p', folder, '-c', file];
    },
  });

const withNginx = testWith(nginx !== undefined);

const of = (stdout: string, check: string) => findings(stdout).find((finding) => finding.check === check);

withNginx('doctor --url: a proxy that hides Host, leaves metrics open and speaks HTTP/1.1', async (t) => {
  const { stdout, status } = await doctor(await bad(t, ''), '/realtime/');
  t.is(status, 1);
  t.like(of(stdout, 'Host'), { state: 'failed' });
  t.regex(of(stdout, 'Host')!.todo, /proxy_set_header Host/);
  t.like(of(stdout, 'metrics'), { state: 'warning', found: 'metrics is public' });
  t.like(of(stdout, 'HTTP/2'), { state: 'warning' });
});

withNginx('doctor --url: a proxy that buffers', async (t) => {
  const stage = await bad(
    t,
    'proxy_set_header Host $http_host; proxy_ignore_headers X-Accel-Buffering; proxy_buffering on;',
  );
  const { stdout, status } = await doctor(stage, '/realtime/', 2);
  t.is(status, 1);
  t.like(of(stdout, 'first byte'), { state: 'failed', found: 'no byte of the stream in 5 s: the answer is held back' });
});

withNginx('doctor --url: a proxy that compresses', async (t) => {
  const stage = await bad(
    t,
    'proxy_set_header Host $http_host; gzip on; gzip_types text/event-stream; gzip_proxied any;',
  );
  const { stdout, status } = await doctor(stage, '/realtime/', 2);
  t.is(status, 1);
  t.is(of(stdout, 'first byte')!.state, 'failed');
  t.regex(of(stdout, 'first byte')!.found, /compressed \(gzip\)|held back/);
});

withNginx('doctor --url: a proxy that drops Last-Event-ID, and one that keeps answers in a cache', async (t) => {
  const stage = await bad(
    t,
    'proxy_set_header Host $http_host; proxy_set_header Last-Event-ID ""; proxy_hide_header Cache-Control; add_header Cache-Control "public, max-age=60";',
  );
  const { stdout, status } = await doctor(stage, '/realtime/');
  t.is(status, 1);
  t.like(of(stdout, 'Last-Event-ID'), { state: 'failed' });
  t.like(of(stdout, 'cache'), { state: 'failed', found: 'Cache-Control is "public, max-age=60"' });
});

withNginx('doctor --url: a time-out shorter than the heartbeat', async (t) => {
  const stage = await bad(t, 'proxy_set_header Host $http_host; proxy_read_timeout 200ms;');
  const { stdout, status } = await doctor(stage, '/realtime/');
  t.is(status, 1);
  t.regex(of(stdout, 'heartbeat')!.found, /^the stream was cut after/);
});

withNginx('doctor --url: a path that leads nowhere, and a host that does not answer', async (t) => {
  const stage = await bad(t, 'proxy_set_header Host $http_host;');
  const wrong = await doctor(stage, '/elsewhere/');
  t.is(wrong.status, 1);
  t.like(of(wrong.stdout, 'healthz'), { state: 'warning', found: 'healthz answers 404' });
  t.regex(of(wrong.stdout, 'Host')!.found, /^the stream answers 404/);
  const nobody = await doctor({ ...stage, origin: 'https://127.0.0.1:1' }, '/realtime/');
  t.is(nobody.status, 1);
  t.regex(of(nobody.stdout, 'healthz')!.found, /does not answer/);
});
