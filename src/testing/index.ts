export { createDatabase, type TestDatabase, type TestDatabaseOptions } from './database.js';
export { type ExpectedEvent, expectPublished, type PublishedEvent, published } from './expect-published.js';
export { FakeEventSource, type FakeMessage } from './fake-event-source.js';
