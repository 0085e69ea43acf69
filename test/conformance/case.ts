import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

/** A JSON object, as a detail is. */
const detail = z.record(z.string(), z.unknown());

/** Whom an event is for; `in` publishes inside a transaction that `begin` named, `as` names the id that comes back. */
const publish = z.strictObject({
  user: z.string().optional(),
  topic: z.string().optional(),
  scope: z.enum(['public', 'system']).optional(),
  type: z.string(),
  detail: detail.default({}),
  private: detail.optional(),
  in: z.string().optional(),
  as: z.string().optional(),
});

/** A stream; `after` resumes behind another stream's last id, `id` behind this one, `since` from a named position. */
const open = z.strictObject({
  as: z.string(),
  user: z.string().optional(),
  at: z.enum(['first', 'second']).default('first'),
  types: z.array(z.string()).optional(),
  topics: z.array(z.string()).default([]),
  seals: z.array(z.string()).default([]),
  named: z.boolean().default(false),
  after: z.string().optional(),
  id: z.string().optional(),
  via: z.enum(['header', 'query']).default('header'),
  since: z.string().optional(),
});

/** All events that the stream got since the last `receive`, in this order, and no other. `id` is a name of `publish.as`. */
const receive = z.strictObject({
  on: z.string(),
  anyOrder: z.boolean().default(false),
  events: z.array(z.strictObject({ type: z.string(), detail: detail.optional(), id: z.string().optional() })),
});

export const serverStep = z.union([
  z.strictObject({ open }),
  z.strictObject({ publish }),
  z.strictObject({ receive }),
  z.strictObject({ message: z.strictObject({ on: z.string(), has: detail }) }),
  z.strictObject({ field: z.strictObject({ on: z.string(), type: z.string(), event: z.string() }) }),
  z.strictObject({ close: z.string() }),
  z.strictObject({ ended: z.string() }),
  z.strictObject({ begin: z.string() }),
  z.strictObject({ commit: z.string() }),
  z.strictObject({ rollback: z.string() }),
  z.strictObject({ position: z.strictObject({ as: z.string() }) }),
  z.strictObject({
    seal: z.strictObject({
      topic: z.string(),
      user: z.string().optional(),
      valid: z.string().optional(),
      as: z.string(),
    }),
  }),
  z.strictObject({ disconnect: z.strictObject({ user: z.string() }) }),
  z.strictObject({
    request: z.strictObject({
      method: z.string().default('GET'),
      path: z.string(),
      headers: z.record(z.string(), z.string()).default({}),
      status: z.number(),
      has: z.record(z.string(), z.string()).default({}),
    }),
  }),
]);

/** One connection of the client: what its request must have, and what it is sent. */
const frame = z.strictObject({
  retry: z.number().optional(),
  id: z.string().optional(),
  data: detail.optional(),
  comment: z.string().optional(),
});

export const clientStep = z.union([
  z.strictObject({
    serve: z.strictObject({
      status: z.number().default(200),
      query: z.record(z.string(), z.string().nullable()).default({}),
      frames: z.array(frame).default([]),
    }),
  }),
  z.strictObject({ send: z.array(frame) }),
  z.strictObject({ fired: z.array(z.strictObject({ type: z.string(), detail: detail.optional() })) }),
  z.strictObject({ cut: z.literal(true) }),
]);

const head = { what: z.string(), where: z.string(), needs: z.array(z.enum(['second'])).default([]) };
const serverCase = z.strictObject({ ...head, steps: z.array(serverStep).min(1) });
const clientCase = z.strictObject({ ...head, steps: z.array(clientStep).min(1) });

export type ServerStep = z.infer<typeof serverStep>;
export type ClientStep = z.infer<typeof clientStep>;
export type ServerCase = z.infer<typeof serverCase> & { readonly file: string };
export type ClientCase = z.infer<typeof clientCase> & { readonly file: string };
export type Frame = z.infer<typeof frame>;

/**
 * The cases of a folder, in the order of their files' names.
 *
 * @throws Error that names the file, where a case has an unknown word, or expects no delivery: a server that delivers nothing
 *   must pass none.
 */
async function load<Case extends { steps: unknown[] }>(
  folder: string,
  schema: z.ZodType<Case>,
  delivers: (step: Case['steps'][number]) => boolean,
): Promise<(Case & { file: string })[]> {
  const directory = new URL(`cases/${folder}/`, import.meta.url);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (file) => {
      const result = schema.safeParse(parse(await readFile(new URL(file, directory), 'utf8')));
      if (!result.success) throw new Error(`${folder}/${file}: ${z.prettifyError(result.error)}`);
      if (!result.data.steps.some(delivers)) throw new Error(`${folder}/${file}: a case must expect a delivery.`);
      return { ...result.data, file };
    }),
  );
}

export const serverCases = (): Promise<ServerCase[]> =>
  load('server', serverCase, (step) => 'receive' in step && step.receive.events.length > 0);

export const clientCases = (): Promise<ClientCase[]> =>
  load('client', clientCase, (step) => 'fired' in step && step.fired.length > 0);
