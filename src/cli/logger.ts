import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import pretty from 'pino-pretty';
import { withoutSecrets } from '../lib/logger.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Makes the logger of the command, which writes to stderr: lines for people on a terminal, JSON otherwise. Contents of events and
 * credentials are always left out, and so is PostgreSQL's DETAIL, which quotes rows.
 */
export function createLogger(level: string): Logger {
  const destination: DestinationStream = process.stderr.isTTY
    ? pretty({
        destination: 2,
        sync: true,
        colorize: !process.env.NO_COLOR,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
      })
    : pino.destination({ dest: 2, sync: true });
  const secret = [
    'detail',
    'privateData',
    'private_data',
    'token',
    'password',
    'authorization',
    'cookie',
    'connectionString',
  ];
  const paths = secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const serializers = { err: (err: unknown) => stdSerializers.err(withoutSecrets(err) as Error) };
  return pino({ level, serializers, redact: { paths, remove: true } }, destination);
}
