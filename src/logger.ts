import { printable } from './printable.js';

/** What djr logs to; pino and most loggers satisfy it. No detail, private data or token is ever logged. */
export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

const print =
  (level: string) =>
  (context: object, message: string): void => {
    const error = 'err' in context && context.err instanceof Error ? `: ${context.err.message}` : '';
    process.stderr.write(`${printable(`djr ${level}: ${message}${error}`)}\n`);
  };

/** Without a logger of your own: warnings and errors on stderr, one line each. */
export const stderrLogger: Logger = { debug() {}, info() {}, warn: print('warning'), error: print('error') };

/** Of these classes of SQLSTATE the message quotes the value that was wrong. */
const QUOTES_VALUES = /^(22|23)/;

/**
 * The same error with nothing but name, code, message and stack. Others carry more: PostgreSQL's DETAIL quotes rows, an
 * address that cannot be parsed is in `input` with its password, and a logger writes whatever an error has.
 */
export function withoutSecrets(err: unknown): unknown {
  if (!(err instanceof Error)) return typeof err === 'object' && err !== null ? { type: err.constructor?.name } : err;
  const code = 'code' in err && typeof err.code === 'string' ? err.code : undefined;
  // JSON.parse quotes the text that it could not read.
  const quotes = err instanceof SyntaxError || (code !== undefined && QUOTES_VALUES.test(code));
  // A message may quote what a client sent: it must not begin a line of its own, or turn a terminal's text round.
  const message = printable(
    quotes ? `${code ?? err.name} (the message is left out: it quotes values)` : masked(err.message),
  );
  const clean = Object.assign(new Error(message), code === undefined ? {} : { code });
  clean.name = printable(err.name);
  clean.stack = [`${clean.name}: ${message}`, ...stackOf(err).map(printable)].join('\n');
  return clean;
}

/** Where it was thrown: what follows its message, of which a line may look like one of these. */
const stackOf = ({ message, stack = '' }: Error): string[] => {
  const start = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  return stack
    .slice(start)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
};

/** The password of an address in a text. */
const masked = (text: string): string => text.replace(/(\b\w+:\/\/[^\s:/@]*):[^\s@]*@/g, '$1:…@');

/** A logger that gets errors {@link withoutSecrets} only. */
export function guarded(logger: Logger): Logger {
  const clean = (context: object): object => {
    const shown = Object.entries(context).map(([name, value]) => [
      name,
      name === 'err' ? withoutSecrets(value) : typeof value === 'string' ? printable(value) : value,
    ]);
    return Object.fromEntries(shown);
  };
  return {
    debug: (context, message) => logger.debug(clean(context), message),
    info: (context, message) => logger.info(clean(context), message),
    warn: (context, message) => logger.warn(clean(context), message),
    error: (context, message) => logger.error(clean(context), message),
  };
}
