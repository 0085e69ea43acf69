import { bareInsert, djrMany, djrWith, type Variant } from '../systems/variants.js';
import { bulk } from './bulk.js';
import type { Scenario } from './scenario.js';

/** A table of the app, whose rows the trigger publishes. */
const TABLE = [
  'create schema shop',
  'create table shop.item (id bigint generated always as identity primary key, n bigint, t bigint, pad text)',
];
const INSERT = `insert into shop.item (n, t, pad)
  select (e ->> 'n')::bigint, (e ->> 't')::bigint, e ->> 'pad' from jsonb_array_elements($1::jsonb) e`;

const each = `create trigger told after insert on shop.item
  for each row execute function djr.publish_row('item', '', 'n,t,pad')`;
const together = `create trigger told after insert on shop.item referencing new table as after
  for each statement execute function djr.publish_row('item', '', 'n,t,pad')`;

const trigger = (name: string, statement: string): Variant => ({
  ...djrWith(name, [...TABLE, statement]),
  statements: { global: '', many: INSERT },
});

export const rowTrigger: Scenario = {
  ...bulk,
  name: 'row-trigger',
  about:
    '10,000 rows of a table of the app in one statement, which djr.publish_row publishes: by a trigger for each row, and by one for the statement; beside the same table without, and publish_many.',
  variants: [
    {
      ...bareInsert,
      name: "the app's table alone",
      setup: TABLE,
      statements: { global: '', many: INSERT },
    },
    trigger('publish_row, each row', each),
    trigger('publish_row, the statement', together),
    djrMany,
  ],
};
