import { isPromiseLike } from './deadline.js';
import { codeOf } from './error-code.js';
import { printable } from './printable.js';

/** The interface of a logger, which pino and most others have. djr never logs a detail, private data or a token. */
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

/** The default logger: it writes warnings and errors to stderr, one line each. */
export const stderrLogger: Logger = { debug() {}, info() {}, warn: print('warning'), error: print('error') };

/** In these classes of SQLSTATE the message quotes the wrong value. */
const QUOTES_VALUES = /^(22|23)/;

/**
 * A copy of an error with nothing but name, code, message and stack. A logger writes every property of an error, and some are secret:
 * PostgreSQL's DETAIL quotes rows, and `input` has an address that could not be parsed, with its password.
 */
export function withoutSecrets(err: unknown): unknown {
  if (!(err instanceof Error)) return typeof err === 'object' && err !== null ? { type: err.constructor?.name } : err;
  const code = codeOf(err);
  // The message of JSON.parse quotes the text that it could not read.
  const quotes = err instanceof SyntaxError || (code !== undefined && QUOTES_VALUES.test(code));
  // A message may quote text of a client, which must not begin a new line, or reverse the text of a terminal.
  const message = printable(
    quotes ? `${code ?? err.name} (the message is left out: it quotes values)` : masked(err.message),
  );
  const clean = Object.assign(new Error(message), code === undefined ? {} : { code });
  clean.name = printable(err.name);
  clean.stack = [`${clean.name}: ${message}`, ...stackOf(err).map(printable)].join('\n');
  return clean;
}

/** The lines of the stack that follow the message. A line of the message itself may look like one of them. */
const stackOf = ({ message, stack = '' }: Error): string[] => {
  const start = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  return stack
    .slice(start)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
};

/** The password of an address in a text. */
const masked = (text: string): string => text.replace(/(\b\w+:\/\/[^\s:/@]*):[^\s@]*@/g, '$1:…@');

/** Removes secrets from a text, and characters that would forge or hide a part of a line. */
const cleaned = (context: object): object =>
  Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      name === 'err' ? withoutSecrets(value) : typeof value === 'string' ? printable(value) : value,
    ]),
  );

/**
 * Wraps the app's logger: it gets errors only {@link withoutSecrets}, and its own errors do no harm, although it is code of the app that is
 * called in the middle of a delivery. The first of its errors is written to stderr.
 */
export function guarded(logger: Logger): Logger {
  let told = false;
  const failed = (error: unknown): void => {
    if (told) return;
    told = true;
    try {
      stderrLogger.error({ err: withoutSecrets(error) }, 'the logger of the app failed; what it does not take is lost');
    } catch {
      // stderr fails as well, so the error cannot be reported.
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
