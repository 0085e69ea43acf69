import test, { type TestFn } from 'ava';
import { findProgram } from './debian.js';

export { type Nats, startNats } from './nats-servers.js';

const there = process.env.NATS_SERVER || findProgram('nats-server');

/** Tests with the engine of the relay: skipped, and shown so, where there is no nats-server; in CI there has to be one. */
export const natsTest = (there !== undefined || process.env.CI ? test : test.skip) as TestFn;
