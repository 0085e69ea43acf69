/** The code of an error of PostgreSQL, Node or djr; undefined: it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Whether the code is an SQLSTATE, so that the error is PostgreSQL's answer to a statement. */
export const isSqlState = (code: string | undefined): code is string =>
  code !== undefined && /^[0-9A-Z]{5}$/.test(code);
