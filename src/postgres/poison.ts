import { codeOf } from '../lib/error-code.js';

/**
 * Whether the database refused a statement for what one of its rows has (class 22: a value that cannot be, 23: one that a
 * constraint refuses): without that row it passes.
 */
export const isOfOneRow = (error: unknown): boolean => /^2[23]...$/.test(codeOf(error) ?? '');
