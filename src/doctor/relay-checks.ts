import { setTimeout as pause } from 'node:timers/promises';
import type { StreamInfo } from '@nats-io/jetstream';
import { decodeCheckpoint } from '../relay/checkpoint.js';
import { describeStream } from '../relay/stream.js';
import { type Finding, type Found, failed, ok, warning } from './findings.js';
import { type RelayAddress, RelayConnection } from './relay-connection.js';

/** The oldest nats-server that republishes and reads by sequence as the relay needs it. */
const OLDEST = [2, 9] as const;

/** Milliseconds for which the log should have events at least, and without a checkpoint before nobody writes it. */
const SHORT = 600_000;
const OLD = 5000;

/** Milliseconds for which a live copy of a checkpoint is waited for: a source writes one each second at least. */
const LIVE = 3500;

/** Milliseconds by which clocks may differ. */
const SKEW = 2000;

const PERMISSIONS = 'Give sources and edges a login each, with what `djr relay --print-permissions` prints.';

/** Looks at everything that sources and edges need of the engine, as the login that is given. */
export async function* checkRelay(address: RelayAddress): AsyncGenerator<Finding> {
  let relay: RelayConnection;
  try {
    relay = await RelayConnection.open(address);
  } catch (error) {
    const todo = 'Check addresses, credentials and TLS, and whether nats-server runs.';
    yield { check: 'server', ...failed((error as Error).message, todo) };
    return;
  }
  try {
    yield { check: 'server', ...server(relay) };
    const info = await streamInfo(relay);
    if (info) yield* stream(relay, info);
    const checkpoint = await newest(relay);
    yield { check: 'log', ...log(relay, info, checkpoint) };
    yield { check: 'permissions', ...(await permissions(relay)) };
    const answers = await sources(relay);
    if (answers) yield { check: 'sources', ...answers };
    if (checkpoint) yield { check: 'live copies', ...(await live(relay)) };
    if (checkpoint) yield { check: 'relay clock', ...clock(checkpoint) };
  } finally {
    await relay.close();
  }
}

function server({ connection, role }: RelayConnection): Found {
  const { cluster, version = '', jetstream } = connection.info ?? {};
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const found = `nats-server ${version}${cluster ? `, cluster ${cluster}` : ''}; the login is one of ${role === 'source' ? 'a source' : 'an edge'}`;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return failed(found, `Update nats-server to ${OLDEST.join('.')} or later.`);
  }
  return jetstream
    ? ok(found)
    : failed(`${found}; it has no JetStream`, 'Start it with -js, or with jetstream { … } in its configuration.');
}

/** @returns undefined: there is no stream, or the login, as an edge's, may not ask */
async function streamInfo(relay: RelayConnection): Promise<StreamInfo | undefined> {
  const outcome = await relay.try(`$JS.API.STREAM.INFO.${relay.subjects.stream}`, '');
  if (typeof outcome === 'string') return undefined;
  const answer = outcome.message.json<StreamInfo & { error?: unknown }>();
  return answer.error ? undefined : answer;
}

function* stream({ subjects }: RelayConnection, info: StreamInfo): Generator<Finding> {
  const described = describeStream(info, subjects);
  const { hasDirectReads, hasLiveCopies, deletesOld, isWhole, lagging, leader, maxAge, replicas } = described;
  const { log } = subjects;
  const wrong = [
    !isWhole && `its subjects must be ${log} alone`,
    !hasLiveCopies && `republish must be from ${log} to ${subjects.live(log)}`,
    !hasDirectReads && 'allow_direct must be on',
    !deletesOld && 'retention must be limits, and discard must be old',
  ].filter((one) => one !== false);
  const found = `${subjects.stream}: ${described.messages.toLocaleString('en')} messages, ${Math.round(described.bytes / 1024).toLocaleString('en')} kB`;
  yield {
    check: 'stream',
    ...(wrong.length === 0
      ? ok(found)
      : failed(
          `${subjects.stream}: ${wrong.join('; ')}`,
          'Change it with `nats stream edit`, or delete it: the source makes it anew.',
        )),
  };
  const servers = (info.cluster?.replicas?.length ?? 0) + 1;
  const copies = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}${leader ? `, led by ${leader}` : ''}`;
  yield {
    check: 'replicas',
    ...(lagging.length > 0
      ? warning(`${copies}; behind: ${lagging.join(', ')}`, 'Look whether these servers run and reach the others.')
      : servers < 3
        ? warning(
            copies,
            'With three servers and three replicas the log outlives one of them. Without, a new generation begins when it is lost.',
          )
        : ok(copies)),
  };
  const age = maxAge === 0 ? 'for ever' : `for ${Math.round(maxAge / 60_000)} minutes`;
  yield {
    check: 'age',
    ...(maxAge > 0 && maxAge < SHORT
      ? warning(
          `the log keeps events ${age}`,
          'Let maxAge be ten minutes at least: clients that were away for longer are a reading of PostgreSQL each.',
        )
      : ok(`the log keeps events ${age}`)),
  };
}

interface Newest {
  /** When the engine stored it, and of which moment of the database it is: milliseconds since 1970. */
  readonly storedAt: number;
  readonly frontierAt: number;
  readonly readAt: number;
}

/** The checkpoint that was written last. */
async function newest(relay: RelayConnection): Promise<Newest | undefined> {
  const { subjects } = relay;
  const read = (subject: string) =>
    relay.try(`$JS.API.DIRECT.GET.${subjects.stream}`, JSON.stringify({ last_by_subj: subject }));
  const candidates = await Promise.all([read(subjects.checkpoint()), read(subjects.claim())]);
  const found = candidates.flatMap((outcome) => {
    if (typeof outcome === 'string' || (outcome.message.headers?.code ?? 0) >= 300) return [];
    const { headers } = outcome.message;
    const storedAt = Date.parse(headers?.get('Nats-Time-Stamp') ?? '');
    return [{ storedAt, frontierAt: decodeCheckpoint(outcome.message.string()).frontier.time, readAt: Date.now() }];
  });
  return found.sort((a, b) => b.storedAt - a.storedAt)[0];
}

function log({ subjects }: RelayConnection, info: StreamInfo | undefined, checkpoint: Newest | undefined): Found {
  if (!checkpoint) {
    const what = info
      ? `${subjects.stream} has no checkpoint`
      : `there is no stream ${subjects.stream}, or this login may not read it`;
    return failed(what, 'Start a source: djr relay --relay …');
  }
  const age = checkpoint.readAt - checkpoint.storedAt;
  const found = `the last checkpoint is ${Math.max(0, age / 1000).toFixed(1)} s old`;
  return age < OLD ? ok(found) : failed(found, 'Look whether a source runs, and what its healthz and its log say.');
}

/** Nothing of it changes the log: the append names a sequence that the log cannot end with, and what is purged is not there. */
async function permissions(relay: RelayConnection): Promise<Found> {
  const { role, subjects } = relay;
  const { stream } = subjects;
  const nothing = subjects.filler('doctor');
  const impossible = { 'Nats-Expected-Last-Sequence': '9007199254740991' };
  const may = async (subject: string, text: string, headers = {}) =>
    typeof (await relay.try(subject, text, headers)) === 'object';
  const append = await may(nothing, '', impossible);
  const purge = await may(`$JS.API.STREAM.PURGE.${stream}`, JSON.stringify({ filter: nothing }));
  const remove = await may(`$JS.API.STREAM.MSG.DELETE.${stream}`, JSON.stringify({ seq: 0 }));
  const can = [append && 'append', purge && 'purge', remove && 'delete messages'].filter((one) => one !== false);
  const found = can.length === 0 ? 'the login reads the log, and cannot change it' : `the login may ${can.join(', ')}`;
  if (purge || remove) return warning(found, PERMISSIONS);
  if (role === 'edge' && append) return failed(`${found}: an edge must not`, PERMISSIONS);
  if (role === 'source' && !append) return failed('the login cannot append to the log', PERMISSIONS);
  return ok(found);
}

/** @returns undefined: the login is a source's, which asks nobody */
async function sources(relay: RelayConnection): Promise<Found | undefined> {
  const outcome = await relay.try(relay.subjects.ask('ping'), '{}');
  if (outcome === 'denied' && relay.role === 'source') return undefined;
  if (outcome === 'denied') return failed('this login may not ask a source', PERMISSIONS);
  if (outcome === 'silent') return failed('no source answers', 'Start a source: djr relay --relay …');
  const { error } = outcome.message.json<{ error?: { message: string } }>();
  return error
    ? failed(`a source answers, and cannot ask PostgreSQL: ${error.message}`, 'Run `djr doctor` where the sources are.')
    : ok('a source answers, and so does PostgreSQL behind it');
}

async function live({ connection, subjects }: RelayConnection): Promise<Found> {
  let heard = false;
  const subscription = connection.subscribe(subjects.live(subjects.checkpoint()), {
    callback: () => {
      heard = true;
    },
  });
  for (const end = performance.now() + LIVE; !heard && performance.now() < end; ) await pause(20);
  subscription.unsubscribe();
  if (heard) return ok('what is stored is heard');
  const todo = `The stream must republish to ${subjects.live(subjects.log)}, and the login must be allowed to subscribe there.`;
  return failed('no live copy of a checkpoint was heard', todo);
}

/** Of a checkpoint that has just been written, all times are nearly the same. */
function clock({ frontierAt, readAt, storedAt }: Newest): Found {
  const toEngine = (readAt - storedAt) / 1000;
  const toDatabase = (storedAt - frontierAt) / 1000;
  const found = `a checkpoint was stored ${toEngine.toFixed(1)} s ago by the clock here, ${toDatabase.toFixed(1)} s after PostgreSQL's`;
  const isOff = Math.abs(toEngine) > SKEW || Math.abs(toDatabase) > SKEW;
  return isOff ? warning(found, 'Let all machines follow one time (NTP), or start a source if none runs.') : ok(found);
}
