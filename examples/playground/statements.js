// @ts-check
/**
 * What the playground offers: the statements of the documentation, ready to run and to be changed.
 *
 * @typedef {{ title: string, about: string, sql: string }} Statement
 * @type {Statement[]}
 */
export const statements = [
  {
    title: 'To one user',
    about: 'Ann gets it, in all of her windows. Nobody else does.',
    sql: `select djr.publish('ann', 'order_paid', '{":id": 7, "total": "19.90"}')`,
  },
  {
    title: 'To everybody',
    about: 'Every client, the anonymous one too.',
    sql: `select djr.publish_public('maintenance', '{"minutes": 5}')`,
  },
  {
    title: 'To a room',
    about: 'Ann has a seal for room:7. Bob and the visitor asked for it by name, and nobody lets them in.',
    sql: `select djr.publish_topic('room:7', 'message', '{"text": "Hello, room 7!"}')`,
  },
  {
    title: 'To the backend',
    about: 'Subscribers in Node hear it, and no browser does.',
    sql: `select djr.publish_system('cache_stale')`,
  },
  {
    title: 'From a trigger',
    about: 'playground.orders has a trigger djr.publish_row(): the row says whose it is.',
    sql: `update playground.orders set status = case status when 'paid' then 'shipped' else 'paid' end\nreturning id, user_id, status`,
  },
  {
    title: 'Many at once',
    about: 'One statement, a hundred events, in this order.',
    sql: `select count(*) from djr.publish_many((\n  select jsonb_agg(jsonb_build_object('type', 'step', 'user_id', 'bob', 'detail', jsonb_build_object('n', n)))\n  from generate_series(1, 100) as n))`,
  },
  {
    title: 'Once, whoever comes twice',
    about: 'A key names the occurrence: run it again, and it returns the id of the first one and sends nothing.',
    sql: `select djr.publish('bob', 'welcome', '{"text": "This comes once."}', key => 'welcome-bob')`,
  },
  {
    title: 'State and place, in one snapshot',
    about: 'What a page reads before it listens: the stream begins at since, and nothing falls in between.',
    sql: `select json_agg(o) as orders, djr.position() as since, djr.seal('room:7', 'ann') as seal\nfrom playground.orders o where user_id = 'ann'`,
  },
  {
    title: 'Too large',
    about: 'NOTIFY carries fewer than 8,000 bytes. The error says how many there were, and what to do.',
    sql: `select djr.publish('ann', 'report', jsonb_build_object('text', repeat('x', 9000)))`,
  },
  {
    title: 'Cut off',
    about: 'All streams of Ann end. Her page comes back, as her login still lets her.',
    sql: `select djr.disconnect('ann', 'the session was closed')`,
  },
];
