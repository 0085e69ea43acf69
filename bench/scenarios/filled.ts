/** Rows that were there before, without their having been published. @param age - an interval */
export const filled = (rows: number, age = '0'): string[] => [
  'alter table djr.event disable trigger user',
  `insert into djr.event (scope, user_id, type, detail, created_at)
     select 'user', (i % 10000)::text, 'filled', jsonb_build_object('n', i), now() - interval '${age}' from generate_series(1, ${rows}) i`,
  'alter table djr.event enable trigger user',
  'vacuum analyze djr.event',
];
