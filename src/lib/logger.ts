import { isPromiseLike } from './deadline.js';
import { codeOf } from './error-code.js';
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
  const code = codeOf(err);
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

/** Without secrets, and without characters that would forge or hide a part of a line. */
const cleaned = (context: object): object =>
  Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      name === 'err' ? withoutSecrets(value) : typeof value === 'string' ? printable(value) : value,
    ]),
  );

/**
 * A logger that gets errors {@link withoutSecrets} only, and whose own errors end nothing: it is the app's code, and is
 * called in the midst of delivery. The first of its errors is told on stderr.
 */
export function guarded(logger: Logger): Logger {
  let told = false;
  const failed = (error: unknown): void => {
    if (told) return;
    told = true;
    try {
      stderrLogger.error({ err: withoutSecrets(error) }, 'the logger of the app failed; what it does not take is lost');
    } catch {
      // Nobody is left who could be told.
    }
  };
  const log =
    (level: keyof Logger) =>
    (context: object, message: string): void => {
      try {
        const answer: unknown = logger[level](cleaned(context), message);
        // An async logger that rejects would end the process.
        if (isPromiseLike(answer)) answer.then(undefined, failed);
      } catch (error) {
        failed(error);
      }
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
