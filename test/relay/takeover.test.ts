import test from 'ava';
import fc from 'fast-check';
import type { Envelope } from '../../src/event/envelope.js';
import { hashAudience } from '../../src/relay/audience-hash.js';
import { Candidacy } from '../../src/relay/candidacy.js';
import { type Checkpoint, decodeCheckpoint } from '../../src/relay/checkpoint.js';
import { fromRuns } from '../../src/relay/id-runs.js';
import { decodeLine } from '../../src/relay/line.js';
import { cases } from '../helpers/fuzz.js';
import { anyStep, subjects, World } from './world.js';

interface Entry {
  readonly sequence: number;
  readonly envelope: Envelope | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** What a reader of the log, from the first checkpoint of the newest generation on, believes. */
function readLog({ log }: World) {
  const claim = log.messages.findLast(({ subject }) => subjects.parse(subject)?.kind === 'claim')!;
  const { generation } = subjects.parse(claim.subject)!;
  const messages = log.messages.filter(({ subject }) => subjects.parse(subject)?.generation === generation);
  let term = '';
  return messages.flatMap(({ sequence, subject, text }): Entry[] => {
    const { kind } = subjects.parse(subject)!;
    if (kind === 'filler') return [];
    if (kind === 'event') return [{ sequence, envelope: decodeLine(text), checkpoint: undefined }];
    const checkpoint = decodeCheckpoint(text);
    if (kind === 'claim') term = checkpoint.term;
    return checkpoint.term === term ? [{ sequence, checkpoint, envelope: undefined }] : [];
  });
}

/** Looks at each claim of each checkpoint. @returns what is wrong */
function faultsOf(world: World): string[] {
  const faults: string[] = [];
  const entries = readLog(world);
  const beginning = entries[0]!.checkpoint!.frontier;
  const before: { sequence: number; envelope: Envelope }[] = [];
  let last = 0;
  for (const { sequence, checkpoint, envelope } of entries) {
    if (envelope) {
      if (before.some((one) => one.envelope.id === envelope.id))
        faults.push(`event ${envelope.id} is in the log twice`);
      before.push({ sequence, envelope });
      continue;
    }
    const { frontier, ahead, aheadFrom, manifest, previous } = checkpoint!;
    const visible = world.database.committed.filter(({ xid }) => beginning.isNew(xid!) && !frontier.isNew(xid!));
    for (const { id } of visible) {
      if (!before.some((one) => one.envelope.id === id)) faults.push(`checkpoint ${sequence} promises event ${id}`);
    }
    const named = fromRuns(ahead);
    for (const one of before.filter(({ envelope }) => frontier.isNew(envelope.xid!))) {
      if (!named.has(one.envelope.id)) faults.push(`checkpoint ${sequence} does not name event ${one.envelope.id}`);
      if (one.sequence < aheadFrom || aheadFrom === 0) faults.push(`checkpoint ${sequence} says ${aheadFrom} too late`);
    }
    if (previous !== last) faults.push(`checkpoint ${sequence} does not follow ${last}`);
    if (previous !== 0) {
      if (manifest.length !== sequence - previous - 1) faults.push(`the manifest of ${sequence} is too short`);
      for (const one of before.filter((one) => one.sequence > previous)) {
        const hash = manifest[one.sequence - previous - 1];
        if (hash !== hashAudience(one.envelope.audience!)) faults.push(`the manifest of ${sequence} is wrong`);
      }
    }
    last = sequence;
  }
  const all = world.database.committed.filter(({ xid }) => beginning.isNew(xid!));
  for (const { id } of all) if (!before.some((one) => one.envelope.id === id)) faults.push(`event ${id} is lost`);
  return faults;
}

test('Whenever a source crashes, pauses or is cut off, the log has every event once, and each checkpoint is true', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 150 }), async (steps) => {
      const world = new World();
      try {
        world.sources[0]!.elected = true;
        await world.run(steps);
        await world.heal();
        const faults = faultsOf(world);
        if (faults.length > 0) throw new Error(faults.join('\n'));
      } finally {
        world.end();
      }
    }),
    cases(200),
  );
  t.pass();
});

test('A database that is replaced while the log is taken over begins a generation of its own', async (t) => {
  const world = new World();
  t.teardown(() => world.end());
  const [source] = world.sources;
  source!.elected = true;
  // The claim is in the log by then, and says what the old database had.
  source!.beforeCatchUp = () => {
    world.database.epoch = 'epoch002';
  };
  await world.heal();
  const epochs = new Map<string, Set<string>>();
  for (const { subject, text } of world.log.messages) {
    const { generation, kind } = subjects.parse(subject)!;
    if (kind !== 'claim' && kind !== 'checkpoint') continue;
    epochs.set(generation, (epochs.get(generation) ?? new Set()).add(decodeCheckpoint(text).frontier.epoch));
  }
  t.true(
    [...epochs.values()].every(({ size }) => size === 1),
    'a generation has events of two histories',
  );
  t.deepEqual([...[...epochs.values()].at(-1)!], ['epoch002']);
  t.true(source!.writer.leads);
});

test('A source that ends does not wait for a database that does not answer', async (t) => {
  const candidacy = new Candidacy({ win: async () => true, yield: () => new Promise(() => {}) });
  await candidacy.end();
  t.pass();
});
