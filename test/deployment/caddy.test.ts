import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram, testWith } from '../helpers/debian.js';
import { adapt, codeBlocks } from '../helpers/document.js';
import { proxyTests } from './proxy-tests.js';

const caddy = findProgram('caddy');

proxyTests('Caddy', testWith(caddy !== undefined), {
  socket: 'unix/',
  async configure({ folder, port, certificate, upstreams }) {
    const [documented] = await codeBlocks('deployment.md', 'caddy');
    const text = adapt(documented!, [
      ['grace_period 10s', 'grace_period 1s\n\tadmin off\n\tauto_https disable_redirects'],
      ['app.example.com {', `https://localhost:${port} {\n\ttls ${certificate.certificate} ${certificate.key}`],
      ['127.0.0.1:8000', upstreams[0]],
      ['127.0.0.1:8001', upstreams[1]],
      ['health_interval 2s', 'health_interval 100ms'],
    ]);
    const file = path.join(folder, 'Caddyfile');
    await writeFile(file, text);
    return [caddy!, 'run', '--adapter', 'caddyfile', '--config', file];
  },
});
