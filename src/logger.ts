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
    process.stderr.write(`djr ${level}: ${message}${error}\n`);
  };

/** Without a logger of your own: warnings and errors on stderr, one line each. */
export const stderrLogger: Logger = { debug() {}, info() {}, warn: print('warning'), error: print('error') };
