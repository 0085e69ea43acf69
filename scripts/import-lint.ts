/**
 * Fails on imports of src/ that run against the way of an event, or go round in a circle.
 *
 *   npm run lint     runs it, too
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The rooms of src/, from the ground up: a room may import from those before it. An event goes source → stream → clients,
 * and each stage hands it to the next, so a stage knows the one behind it and none that is in front of it.
 */
export const ROOMS: readonly string[] = [
  'lib', // no domain words
  'event', // what everybody speaks of
  'postgres', // how djr talks to PostgreSQL
  'install', // migrations
  'publish', // into the database
  'consume', // out of it, for backend code
  'testing', // the embedded PostgreSQL, and what apps test with
  'activity', // what became of events
  'instance', // what an instance says of itself in djr.instance
  'upkeep', // pruning, repair
  'clients', // who hears an event: hub, client, topics
  'stream', // order, history, resume, hooks
  'relay', // the log on NATS JetStream: writer, readers, engine
  'source', // where events come from
  'telemetry', // health and metrics of all of these
  'http', // adapters, guards, endpoints
  'admin', // pages
  'runtime', // builds the stages, starts and stops them
  'doctor', // checks of the command
  'cli', // the command
];

/** Files beside the rooms: the public surface wires them. */
const SURFACE = ['index.ts', 'realtime.ts', 'hot.ts', 'realtime-interface.ts', 'realtime-options.ts', 'options.ts'];
/** Those of them that are types every room may name. */
const OPTIONS = ['realtime-options.ts', 'options.ts'];

/** The page's own code: it may name the types of events, and nothing of the server may import it. */
const BROWSER = 'browser';

export interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

const roomOf = (file: string): string => file.split('/')[0]!;

/** @returns why the import is against the rule; undefined: it is not */
export function complaint({ from, to, isType }: Import): string | undefined {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === target) return undefined;
  if (target === BROWSER) return 'the server imports what is for the page';
  if (room === BROWSER) return target === 'event' && isType ? undefined : 'the page imports what is for the server';
  if (SURFACE.includes(room)) return target === 'cli' ? 'the library imports the command' : undefined;
  if (OPTIONS.includes(target)) return isType || room === 'cli' ? undefined : 'options are types, but for the surface';
  if (SURFACE.includes(target)) return room === 'cli' ? undefined : 'a room imports the surface';
  const [own, other] = [ROOMS.indexOf(room), ROOMS.indexOf(target)];
  if (own < 0) return `there is no room ${room}: enter it in scripts/import-lint.ts`;
  return other < own ? undefined : `${room} may not import ${target}`;
}

/** The imports of a file of src/. */
export function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.{1,2}\/[^']+)'/gm)].map(
    ([, type, spec]) => ({
      from: file,
      to: path.posix.join(path.posix.dirname(file), spec!).replace(/\.js$/, '.ts'),
      isType: type !== undefined,
    }),
  );
}

/** A circle of imports that are more than types, as the files on it; undefined: there is none. */
export function circle(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, isType } of imports) if (!isType) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(file);
    if (at >= 0) return way.slice(at);
    if (done.has(file)) return undefined;
    for (const other of next.get(file) ?? []) {
      const found = visit(other, [...way, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}

export async function lintImports(folder = 'src'): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const all = await Promise.all(
    files.map(async (file) => importsOf(file, await readFile(path.join(folder, file), 'utf8'))),
  );
  const imports = all.flat();
  const complaints = imports.flatMap((one) => {
    const why = complaint(one);
    return why === undefined ? [] : [`src/${one.from} imports src/${one.to}: ${why}`];
  });
  const round = circle(imports);
  return round ? [...complaints, `a circle of imports: ${round.join(' → ')}`] : complaints;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const complaints = await lintImports();
  for (const line of complaints) process.stderr.write(`${line}\n`);
  process.exitCode = complaints.length > 0 ? 1 : 0;
}
