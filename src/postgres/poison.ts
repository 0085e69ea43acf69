/**
 * Whether the database refused a statement for what one of its rows has (class 22: a value that cannot be, 23: one that a
 * constraint refuses): without that row it passes.
 */
export const isOfOneRow = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
