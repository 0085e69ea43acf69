import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram, testWith } from '../helpers/debian.js';
import { adapt, codeBlocks } from '../helpers/document.js';
import { proxyTests } from './proxy-tests.js';

const nginx = findProgram('nginx');

proxyTests('nginx', testWith(nginx !== undefined), {
  endSignal: 'SIGQUIT',
  socket: 'unix:',
  async configure({ folder, port, certificate, upstreams }) {
    const [main, http] = await codeBlocks('deployment.md', 'nginx');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${path.join(folder, kind)};`,
    );
    const text = `daemon off;
worker_processes 1;
pid ${path.join(folder, 'pid')};
error_log stderr warn;
${adapt(main!, [['10s', '1s']])}
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${adapt(http!, [
    ['127.0.0.1:8000', upstreams[0]],
    ['127.0.0.1:8001', upstreams[1]],
    ['listen 443', `listen 127.0.0.1:${port}`],
    ['app.example.com;', 'localhost;'],
    ['/etc/ssl/app.example.com.pem', certificate.certificate],
    ['/etc/ssl/app.example.com.key', certificate.key],
    ['60s', '4s'],
  ])}
}`;
    const file = path.join(folder, 'nginx.conf');
    await writeFile(file, text);
    return [nginx!, '-e', 'stderr', '-p', folder, '-c', file];
  },
});
