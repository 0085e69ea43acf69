import type pg from 'pg';
import { fromPostgres } from '../errors.js';
import type { Detail, Scope } from '../event.js';

/** An event to publish. Without `userId` and `scope` it goes to every client. */
export interface Publication<Type extends string = string, D extends Detail = Detail> {
  /** 1 to 200 characters without white space; some words are reserved (docs/browser.md). */
  type: Type;
  /** @defaultValue `{}` */
  detail?: D;
  /** Whose event it is. */
  userId?: string | number | bigint | null;
  /** @defaultValue `user` with a `userId`, else `public` */
  scope?: Scope;
  /** Stored with the event, never sent. */
  privateData?: unknown;
  /** A second publish under the same key stores and sends nothing, and returns the first id. */
  key?: string;
}

/** A `pg.Pool`, or a client inside a transaction of the caller's. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

const CALLS: Record<Scope, string> = {
  user: 'select djr.publish(user_id => $1::text, type => $2, detail => $3::jsonb, private_data => $4::jsonb, key => $5) as id',
  public: 'select djr.publish_global(type => $1, detail => $2::jsonb, private_data => $3::jsonb, key => $4) as id',
  system:
    'select djr.publish_system(user_id => $1::text, type => $2, detail => $3::jsonb, private_data => $4::jsonb, key => $5) as id',
};

const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value));

/**
 * Publishes through SQL, where all rules are.
 *
 * @returns the event's id
 * @throws {@link DjrError} with the SQLSTATE of the rule that was broken (docs/sql.md)
 */
export async function publish(client: Queryable, publication: Publication): Promise<number> {
  const { type, detail = {}, userId, privateData, key } = publication;
  const scope = publication.scope ?? (userId === undefined || userId === null ? 'public' : 'user');
  const user = userId === undefined || userId === null ? null : String(userId);
  const rest = [type, json(detail), json(privateData), key ?? null];
  // A public event has no user: given one, SQL has the say, as for any other publisher.
  const values = scope === 'public' ? rest : [user, ...rest];
  try {
    const { rows } = await client.query<{ id: string }>(CALLS[scope], values);
    return Number(rows[0]!.id);
  } catch (error) {
    throw fromPostgres(error);
  }
}
