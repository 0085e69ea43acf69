import type { Acknowledgement } from '../../activity/acknowledger.js';
import type { Logger } from '../../lib/logger.js';
import { SparseLog } from '../../lib/sparse-log.js';
import type { ResolvedOptions } from '../../options.js';
import type { Source } from '../../source/source.js';
import { toJson } from '../adapters/body.js';
import type { Endpoint } from '../endpoint.js';
import { Admission, type AdmissionLimits } from '../guards/admission.js';
import { identify } from '../guards/authenticate.js';
import { checkOrigin, originOf } from '../guards/origin.js';
import { Rate } from '../guards/rate.js';
import type { Incoming } from '../incoming.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../reply.js';

export interface AcknowledgementsOptions {
  options: AdmissionLimits &
    Pick<ResolvedOptions, 'allowedOrigins' | 'authenticate' | 'hookTimeout' | 'maxAcknowledgementsPerUser'>;
  logger: Logger;
  life: {
    /** Resolves when the database is connected. */
    ready(): Promise<void>;
  };
  source: Pick<Source, 'acknowledge'>;
}

/** Bytes that a request may have, and acknowledgements in it. */
const MAX_BYTES = 16 * 1024;
const MAX_ACKS = 100;

const METHODS = ['POST', 'OPTIONS'];

/** `POST ack/`: a page acknowledges that events of its user were delivered or read. */
export class Acknowledgements implements Endpoint {
  readonly path = 'ack';
  readonly methods = METHODS;
  readonly #options: AcknowledgementsOptions;
  readonly #rate: Rate;
  /** As many requests may be under way as streams may be open, so that calls of `authenticate` are bounded here, too. */
  readonly #admission: Admission;
  readonly #log: SparseLog;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
    this.#rate = new Rate(options.options.maxAcknowledgementsPerUser);
    this.#admission = new Admission(options.options);
    this.#log = new SparseLog(options.logger);
  }

  async respond(incoming: Incoming): Promise<Reply> {
    const { options } = this.#options;
    const origin = originOf(incoming);
    const cors = checkOrigin(origin, options.allowedOrigins);
    if (!cors) return problem(403, `Pages of ${origin.origin} may not acknowledge events (option allowedOrigins).`);
    const reply = incoming.method === 'OPTIONS' ? preflight() : await this.#post(incoming);
    return { ...reply, headers: { ...reply.headers, ...cors } };
  }

  async #post(incoming: Incoming): Promise<Reply> {
    // A form of another site cannot send this type, and a script of another site needs a preflight for it.
    if (!/^application\/json\s*(;|$)/i.test(incoming.header('content-type') ?? '')) {
      return problem(415, 'The Content-Type of an acknowledgement is application/json.');
    }
    if (Number(incoming.header('content-length')) > MAX_BYTES) return tooLarge();
    const place = this.#admission.enter(incoming);
    if ('status' in place) return place;
    try {
      return await this.#ofUser(incoming);
    } finally {
      place.leave();
    }
  }

  async #ofUser(incoming: Incoming): Promise<Reply> {
    const identity = await identify(incoming, this.#options.options, this.#log);
    if ('status' in identity) return identity;
    const user = identity.userId;
    if (user === null) return problem(401, 'An event is acknowledged by its user, and this request is anonymous.');
    if (!this.#rate.take(user)) {
      return problem(429, 'Too many acknowledgements a second (option maxAcknowledgementsPerUser).', {
        'Retry-After': '1',
      });
    }
    const body = await incoming.body(MAX_BYTES);
    if (body === 'too large') return tooLarge();
    if (body === 'broken off') return problem(400, 'The body ended too early.');
    if (body === 'taken') return problem(400, 'The body was read before, and not left as req.body.');
    const asked = readAcks(toJson(body));
    if (!asked) {
      return problem(
        400,
        `The body is {"id": 1042, "status": "read"}, or {"acks": […]} with 1 to ${MAX_ACKS} of those.`,
      );
    }
    return this.#acknowledge(asked.map(({ id, status }) => ({ userId: user, id, status })));
  }

  async #acknowledge(asked: Acknowledgement[]): Promise<Reply> {
    let own: boolean[];
    try {
      await this.#options.life.ready();
      own = await this.#options.source.acknowledge(asked);
    } catch (err) {
      this.#options.logger.warn({ err }, 'acknowledgements could not be recorded');
      return problem(503, 'The acknowledgement could not be recorded; try again.', { 'Retry-After': '2' });
    }
    const acknowledged = asked.filter((_, place) => own[place]).map(({ id }) => id);
    if (acknowledged.length === 0) return problem(404, 'There is no such event of this user.');
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json', ...PERSONAL_HEADERS },
      body: JSON.stringify({ acknowledged }),
    };
  }
}

const tooLarge = (): Reply => problem(413, `An acknowledgement has at most ${MAX_BYTES} bytes.`);

/** The answer to a preflight, which a browser sends before it posts JSON to another origin. */
const preflight = (): Reply => ({
  status: 204,
  headers: {
    Allow: METHODS.join(', '),
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'Content-Type, Authorization',
    'Access-Control-Max-Age': '600',
  },
  body: '',
});

type Ack = Omit<Acknowledgement, 'userId'>;

/** @returns undefined if the body has another form */
function readAcks(value: unknown): Ack[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const acks: unknown = 'acks' in value ? value.acks : [value];
  if (!Array.isArray(acks) || acks.length < 1 || acks.length > MAX_ACKS) return undefined;
  return acks.every(isAck) ? acks : undefined;
}

function isAck(value: unknown): value is Ack {
  if (typeof value !== 'object' || value === null) return false;
  const { id, status } = value as Partial<Record<keyof Ack, unknown>>;
  return Number.isSafeInteger(id) && (id as number) > 0 && (status === 'delivered' || status === 'read');
}
