import type pg from 'pg';
import { readConsumers } from '../consume/consumer-list.js';
import { failed, ok, warning } from './findings.js';

/** Seconds that a consumer may be behind before there is a warning. */
const FAR_BEHIND = 3600;

export async function consumers(client: pg.Client) {
  const all = await readConsumers(client);
  if (all.length === 0) return ok('none');
  const overtaken = all.filter((one) => one.overtaken !== null);
  const [first] = overtaken;
  if (first) {
    const names = overtaken.map(({ name }) => name).join(', ');
    return failed(
      `stand still: ${names}; ${first.name}: ${first.overtaken}`,
      `Look at what was missed, then: select djr.reset_consumer(${client.escapeLiteral(first.name)}, …), as docs/consumers.md says.`,
    );
  }
  const behind = all.filter(({ age }) => age !== null && age > FAR_BEHIND);
  if (behind.length > 0) {
    const each = behind.map(({ name, lag, age }) => `${name} (${lag} events, ${Math.round(age! / 3600)} h)`);
    return warning(
      `far behind: ${each.join(', ')}`,
      'Run what consumes it, or drop it: select djr.drop_consumer(NAME). Until then pruning keeps its events, for consumer_retention at most.',
    );
  }
  return ok(`${all.length}, none more than an hour behind`);
}
