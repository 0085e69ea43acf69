import test from 'ava';
import { usage } from '../../bench/systems/system.js';

/** Processor time that this process has taken, in microseconds. */
function taken(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

test('What a look at a process costs is in no measurement, neither in the one before nor in the one behind', async (t) => {
  const { gc } = globalThis;
  t.teardown(() => {
    globalThis.gc = gc;
  });
  let collecting = 0;
  globalThis.gc = (() => {
    const began = taken();
    while (taken() - began < 20_000);
    collecting += taken() - began;
  }) as typeof gc;
  const before = taken();
  const { cpu, cpuBehind } = await usage(null);
  t.true(collecting >= 40_000);
  t.true(cpu >= before);
  t.true(cpuBehind - cpu >= collecting);
});
