import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ALLOWABLE, isAllowable } from '../http/guards/origin.js';
import { isProxy } from '../http/guards/trusted-proxies.js';
import { hostOption, portOption, wholeNumber } from './command.js';
import { LOG_LEVELS } from './logger.js';
import { loginOptions } from './login/login.js';

/** Adds the options for listening and for access, which `serve` and `relay` share. */
export function servingOptions(command: Command): Command {
  command
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(
      new Option('--listen <unix:path>', 'listen on a Unix socket instead: unix:/run/djr/djr.sock')
        .argParser(socketPath)
        .conflicts(['port', 'host']),
    )
    .addOption(new Option('--base-path <path>', 'where the routes are (default: /realtime)').argParser(basePath))
    .addOption(
      new Option('--public-path <path>', 'the same as browsers see it, where a proxy cuts a part of it off').argParser(
        basePath,
      ),
    )
    .addOption(new Option('--allow-origin <origin...>', 'pages of these origins may connect too').argParser(origins))
    .addOption(
      new Option(
        '--trust-proxy <address...>',
        'whose X-Forwarded headers are believed: 10.0.0.0/8, ::1, unix',
      ).argParser(proxies),
    )
    .addOption(
      new Option('--workers <number>', 'processes that share the port, each an instance with connections of its own')
        .default(1)
        .argParser((text) => wholeNumber(text, { min: 1, max: 64 })),
    )
    .addOption(
      new Option(
        '--drain <seconds>',
        'on SIGTERM answer 503 to healthz for so long, and serve on; then end. As long as your load balancer takes to notice',
      )
        .default(0)
        .argParser((text) => wholeNumber(text, { max: 3600 })),
    )
    .addOption(
      new Option(
        '--lifetime <seconds>',
        'end each stream after so long, so that it is opened anew elsewhere; 0: never (default: 3600)',
      ).argParser((text) => wholeNumber(text, { max: 2_000_000 })),
    )
    .option('--config <file>', 'a module whose default export is the options of createRealtime')
    .addOption(
      new Option('--log-level <level>', 'what to log, to stderr')
        .env('DJR_LOG_LEVEL')
        .choices(LOG_LEVELS)
        .default('info'),
    );
  return loginOptions(command);
}

function basePath(text: string): string {
  if (/^(\/[\w.~-]+)*\/?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a path like /realtime.');
}

function socketPath(text: string): string {
  const path = /^unix:(.+)$/.exec(text)?.[1];
  if (path) return resolve(path);
  throw new InvalidArgumentError('It must be unix: and a path, like unix:/run/djr/djr.sock.');
}

function origins(text: string, before: string[] = []): string[] {
  if (isAllowable(text)) return [...before, text];
  throw new InvalidArgumentError(`It must be ${ALLOWABLE}.`);
}

function proxies(text: string, before: string[] = []): string[] {
  if (isProxy(text)) return [...before, text];
  throw new InvalidArgumentError('It must be an address, a network like 10.0.0.0/8, or unix.');
}
