import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import type { ServerCase, ServerStep } from './case.js';
import { StreamReader } from './stream-reader.js';

/** A server under test. */
export interface ServerTarget {
  /** Where its routes are: `http://127.0.0.1:8000/realtime/`. */
  readonly endpoint: string;
  /** The same for another instance on the same database. Cases that need one are left out without it. */
  readonly second?: string;
  /** The database that it reads, by a role that may publish and seal. */
  readonly database: string;
  /** The header that says who a request is from; `{user}` stands for the user. */
  readonly login: string;
  /** How long to wait for what must come, in milliseconds. */
  readonly patience: number;
}

export interface Outcome {
  readonly name: string;
  readonly what: string;
  readonly result: 'passed' | 'failed' | 'left out';
  readonly reason?: string;
}

/** The type of the event that shows that all before it has come. Cases with `types` hear it, too. */
const MARKER = 'conformance_marker';

type Step<Name extends string> = Extract<ServerStep, Record<Name, unknown>>[Name &
  keyof Extract<ServerStep, Record<Name, unknown>>];

/** Runs one case, step by step, against a server. Users and topics get a suffix, so that cases can run side by side. */
class ServerRun {
  readonly #target: ServerTarget;
  readonly #suffix = `-${Math.random().toString(36).slice(2, 8)}`;
  readonly #streams = new Map<string, StreamReader>();
  readonly #transactions = new Map<string, pg.Client>();
  /** Ids, positions and seals, by the name that the case gave them. */
  readonly #values = new Map<string, string>();
  readonly #pool: pg.Pool;

  constructor(target: ServerTarget, pool: pg.Pool) {
    this.#target = target;
    this.#pool = pool;
  }

  async run(steps: readonly ServerStep[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      try {
        await this.#step(step);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`step ${index + 1}, ${Object.keys(step)[0]}: ${reason}`);
      }
    }
  }

  async end(): Promise<void> {
    for (const stream of this.#streams.values()) stream.close();
    await Promise.allSettled([...this.#transactions.values()].map((client) => client.end()));
  }

  async #step(step: ServerStep): Promise<void> {
    if ('open' in step) return this.#open(step.open);
    if ('publish' in step) return this.#publish(step.publish);
    if ('receive' in step) return this.#receive(step.receive);
    if ('message' in step) return this.#message(step.message);
    if ('field' in step) return this.#field(step.field);
    if ('request' in step) return this.#request(step.request);
    if ('close' in step) return this.#stream(step.close).close();
    if ('ended' in step) {
      const stream = this.#stream(step.ended);
      await stream.wait('the end of the stream', this.#target.patience, () => stream.ended || undefined);
    }
    if ('begin' in step) await this.#begin(step.begin);
    if ('commit' in step) await this.#finish(step.commit, 'commit');
    if ('rollback' in step) await this.#finish(step.rollback, 'rollback');
    if ('position' in step) await this.#keep(step.position.as, 'select djr.position()::text', []);
    if ('seal' in step) {
      const { topic, user, valid, as } = step.seal;
      const values = [this.#own(topic), user === undefined ? null : this.#own(user), valid ?? '1 hour'];
      await this.#keep(as, 'select djr.seal($1, $2::text, $3::interval)', values);
    }
    if ('disconnect' in step)
      await this.#pool.query('select djr.disconnect($1::text)', [this.#own(step.disconnect.user)]);
  }

  /** A user or topic of this run. */
  #own(name: string): string {
    return name + this.#suffix;
  }

  #stream(name: string): StreamReader {
    const stream = this.#streams.get(name);
    if (!stream) throw new Error(`no stream is named ${name}`);
    return stream;
  }

  #value(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`nothing is named ${name}`);
    return value;
  }

  async #keep(name: string, sql: string, values: unknown[]): Promise<void> {
    const { rows } = await this.#pool.query({ text: sql, values, rowMode: 'array' });
    this.#values.set(name, String(rows[0]![0]));
  }

  async #open(open: Step<'open'>): Promise<void> {
    const base = open.at === 'second' ? this.#target.second! : this.#target.endpoint;
    const url = new URL('sse/', base);
    if (open.types) url.searchParams.set('types', [...open.types, MARKER].join(','));
    for (const topic of open.topics) url.searchParams.append('topic', this.#own(topic));
    for (const seal of open.seals) url.searchParams.append('seal', this.#values.get(seal) ?? seal);
    if (open.named) url.searchParams.set('named', '1');
    if (open.since) url.searchParams.set('since', this.#value(open.since));
    const headers: Record<string, string> = open.user === undefined ? {} : this.#login(this.#own(open.user));
    const id = open.after === undefined ? open.id : this.#stream(open.after).lastEventId;
    if (id !== undefined && open.via === 'header') headers['last-event-id'] = id;
    if (id !== undefined && open.via === 'query') url.searchParams.set('lastEventId', id);
    const stream = await StreamReader.open(url.href, headers, this.#target.patience);
    this.#streams.set(open.as, stream);
    const first = await stream.wait('the connected message', this.#target.patience, () => stream.frames[0]);
    if (first.data.type !== 'connected')
      throw new Error(`The first message must be connected (it is ${JSON.stringify(first.data)}).`);
  }

  #login(user: string): Record<string, string> {
    const [name, value] = this.#target.login.split(/:\s*/, 2) as [string, string];
    return { [name]: value.replaceAll('{user}', user) };
  }

  async #publish(event: Step<'publish'>): Promise<void> {
    const database = event.in === undefined ? this.#pool : this.#transactions.get(event.in)!;
    const [call, values]: [string, unknown[]] =
      event.topic !== undefined
        ? ['djr.publish_topic($3, $1, $2::jsonb, $4::jsonb)', [this.#own(event.topic)]]
        : event.user !== undefined
          ? ['djr.publish($3::text, $1, $2::jsonb, $4::jsonb)', [this.#own(event.user)]]
          : event.scope === 'system'
            ? ['djr.publish_system($1, $2::jsonb, $3::text, $4::jsonb)', [null]]
            : ['djr.publish_public($1, $2::jsonb, $4::jsonb) from (select $3::text) as unused', [null]];
    const parameters = [
      event.type,
      JSON.stringify(event.detail),
      ...values,
      event.private ? JSON.stringify(event.private) : null,
    ];
    const { rows } = await database.query({ text: `select ${call}`, values: parameters, rowMode: 'array' });
    if (event.as) this.#values.set(event.as, String(rows[0]![0]));
  }

  async #receive({ on, anyOrder, events }: Step<'receive'>): Promise<void> {
    const stream = this.#stream(on);
    const { rows } = await this.#pool.query(`select djr.publish_public($1, $2::jsonb)::text as id`, [
      MARKER,
      JSON.stringify({ run: this.#suffix }),
    ]);
    const isMarker = ({ id }: { id: string | undefined }) => id?.split('-')[0] === rows[0].id;
    const end = await stream.wait('what was published last', this.#target.patience, () => {
      const index = stream.frames.findIndex(isMarker);
      return index < 0 ? undefined : index;
    });
    const got = stream.frames.slice(stream.read, end).filter(({ id, data }) => isEvent(id) && data.type !== MARKER);
    stream.read = end + 1;
    const seen = got.map(({ id, data }) => {
      const { type, ':topic': _, ...detail } = data;
      return { type, detail, id: id!.split('-')[0] };
    });
    const wanted = events.map(({ type, detail, id }) => ({
      type,
      detail,
      id: id === undefined ? undefined : this.#value(id),
    }));
    const comparable = wanted.map((event, index) => {
      const other = anyOrder
        ? seen.find(({ type, id }) => type === event.type && (event.id ?? id) === id)
        : seen[index];
      return { type: event.type, detail: event.detail ?? other?.detail, id: event.id ?? other?.id };
    });
    const sort = (list: typeof seen) => (anyOrder ? list.toSorted((a, b) => Number(a.id) - Number(b.id)) : list);
    if (!isDeepStrictEqual(sort(comparable as typeof seen), sort(seen))) {
      throw new Error(`${on} must get ${JSON.stringify(wanted)} (it got ${JSON.stringify(seen)})`);
    }
  }

  async #message({ on, has }: Step<'message'>): Promise<void> {
    const stream = this.#stream(on);
    const wanted = Object.entries(has).map(([key, value]) => [key, this.#ownTopics(value)] as const);
    await stream.wait(`a message with ${JSON.stringify(Object.fromEntries(wanted))}`, this.#target.patience, () =>
      stream.frames.find(
        ({ id, data }) => !isEvent(id) && wanted.every(([key, value]) => isDeepStrictEqual(data[key], value)),
      ),
    );
  }

  /** Names of topics in a message, written `topic:NAME` in a case. */
  #ownTopics(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#ownTopics(element));
    return typeof value === 'string' && value.startsWith('topic:') ? this.#own(value.slice('topic:'.length)) : value;
  }

  async #field({ on, type, event }: Step<'field'>): Promise<void> {
    const stream = this.#stream(on);
    const frame = await stream.wait(`an event ${type}`, this.#target.patience, () =>
      stream.frames.find(({ data }) => data.type === type),
    );
    if (frame.event !== event) throw new Error(`The field event must be ${event} (it is ${frame.event}).`);
  }

  async #request({ method, path, headers, status, has }: Step<'request'>): Promise<void> {
    const signal = AbortSignal.timeout(this.#target.patience);
    const response = await fetch(new URL(path, this.#target.endpoint), { method, headers, signal, redirect: 'manual' });
    await response.body?.cancel();
    if (response.status !== status)
      throw new Error(`${method} ${path} must be answered with ${status} (it is ${response.status}).`);
    for (const [name, part] of Object.entries(has)) {
      const value = response.headers.get(name) ?? '';
      if (!value.includes(part)) throw new Error(`${name} must contain ${part} (it is ${JSON.stringify(value)}).`);
    }
  }

  async #begin(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.#target.database });
    await client.connect();
    this.#transactions.set(name, client);
    await client.query('begin');
  }

  async #finish(name: string, how: 'commit' | 'rollback'): Promise<void> {
    const client = this.#transactions.get(name);
    if (!client) throw new Error(`no transaction is named ${name}`);
    this.#transactions.delete(name);
    await client.query(how);
    await client.end();
  }
}

/** Whether a frame's id is an event's: those of messages begin with `0-`, or there is none. */
const isEvent = (id: string | undefined): boolean => id !== undefined && /^[1-9]\d*-./.test(id);

/** Runs the cases one after the other, and tells of each as it ends. */
export async function runServerCases(
  cases: readonly ServerCase[],
  target: ServerTarget,
  tell: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  const pool = new pg.Pool({ connectionString: target.database, max: 4 });
  const outcomes: Outcome[] = [];
  try {
    for (const { file, what, needs, steps } of cases) {
      const outcome: Outcome =
        needs.includes('second') && !target.second
          ? { name: file, what, result: 'left out', reason: 'it needs a second instance (--second)' }
          : await runOne(file, what, steps, target, pool);
      outcomes.push(outcome);
      tell(outcome);
    }
  } finally {
    await pool.end();
  }
  return outcomes;
}

async function runOne(
  name: string,
  what: string,
  steps: readonly ServerStep[],
  target: ServerTarget,
  pool: pg.Pool,
): Promise<Outcome> {
  const run = new ServerRun(target, pool);
  try {
    await run.run(steps);
    return { name, what, result: 'passed' };
  } catch (error) {
    return { name, what, result: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await run.end();
  }
}
