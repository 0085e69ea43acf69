import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram, testWith } from '../helpers/debian.js';
import { adapt, codeBlocks } from '../helpers/document.js';
import { proxyTests } from './proxy-tests.js';

const haproxy = findProgram('haproxy');

proxyTests('HAProxy', testWith(haproxy !== undefined), {
  endSignal: 'SIGUSR1',
  socket: 'unix@',
  async configure({ folder, port, certificate, upstreams }) {
    const [documented] = await codeBlocks('deployment.md', 'haproxy');
    const text = adapt(documented!, [
      ['hard-stop-after 10s', 'hard-stop-after 1s'],
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/app.example.com.pem', certificate.both],
      ['127.0.0.1:8000', upstreams[0]],
      ['127.0.0.1:8001', upstreams[1]],
      ['60s', '4s'],
      ['inter 2s', 'inter 100ms'],
      // Else an answer that takes longer than 100 ms, on a busy machine, takes an instance out.
      ['retries 3', 'retries 3\n  timeout check 5s'],
    ]);
    const file = path.join(folder, 'haproxy.cfg');
    await writeFile(file, text);
    return [haproxy!, '-db', '-f', file];
  },
});
