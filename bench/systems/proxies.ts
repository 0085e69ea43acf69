import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { Transport } from './system.js';

export interface Proxied {
  folder: string;
  /** The certificate and its key in one file. */
  both: string;
  port: number;
  /** The port of node:http behind it. */
  behind: number;
}

/** The configuration of docs/deployment.md for one instance, with one worker that is the process itself. */
export const nginxConfig = ({ folder, both, port, behind }: Proxied): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} ssl http2 backlog=4096;
    ssl_certificate ${both};
    ssl_certificate_key ${both};
    location /realtime/ {
      proxy_pass http://127.0.0.1:${behind};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 60s;
      gzip off;
    }
  }
}
`;

export const haproxyConfig = ({ both, port, behind }: Proxied): string => `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  option abortonclose
  timeout connect 3s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:${port} ssl crt ${both} alpn h2,http/1.1 backlog 4096
  default_backend realtime
backend realtime
  server one 127.0.0.1:${behind}
`;

/** The proxy that a transport needs and this machine has not. */
export function missingProxy(transport: Transport | undefined): string | undefined {
  if (transport !== 'nginx' && transport !== 'haproxy') return undefined;
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];
  const there = folders.some((folder) => {
    try {
      accessSync(path.join(folder, transport), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return there ? undefined : `${transport} is not installed`;
}
