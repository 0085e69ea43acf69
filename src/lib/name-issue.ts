import type { z } from 'zod';

/** The first error of a validation, with the path to it. An unknown key is an error as well. */
export function nameIssue(error: z.ZodError): { path: PropertyKey[]; message: string } {
  const issue = error.issues[0]!;
  if (issue.code !== 'unrecognized_keys') return { path: issue.path, message: issue.message };
  return { path: [...issue.path, issue.keys[0]!], message: 'there is no such option' };
}
