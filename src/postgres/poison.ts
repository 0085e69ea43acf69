import { codeOf } from '../lib/error-code.js';

/**
 * Whether the database refused a statement because of one of its rows (class 22: an invalid value; 23: a value that a constraint refuses).
 * Without that row the statement succeeds.
 */
export const isOfOneRow = (error: unknown): boolean => /^2[23]...$/.test(codeOf(error) ?? '');
