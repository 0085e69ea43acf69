import type { Heard } from '../../clients/topics/topics.js';
import { type Audience, topicAudience } from '../../event/audience.js';
import { Frontier } from '../../event/frontier.js';
import { packPosition, parsePosition } from '../../event/position.js';
import type { Source } from '../../source/source.js';
import type { ResumeFrom } from '../../stream/resume/resume.js';
import { MAX_QUERY, type StreamQuery } from '../stream-query.js';

export interface StartingPointOptions {
  source: Pick<Source, 'position' | 'epoch' | 'time'>;
}

/** Decides where a stream begins: after the last frame that its client got, at the position at which its page read its state, or now. */
export class StartingPoint {
  readonly #source: StartingPointOptions['source'];

  constructor({ source }: StartingPointOptions) {
    this.#source = source;
  }

  /**
   * @param lastEventId - the id of the last frame that the client got; empty: it has got none
   * @returns where to resume; undefined: the stream begins now; `reset`: the reason why missed events cannot be had
   */
  of(lastEventId: string, query: StreamQuery, heard: Heard): ResumeFrom | { reset: string } | undefined {
    const starts = this.#topicsOf(query, heard);
    const since = query.get('since');
    const epoch = this.#source.epoch;
    if (lastEventId !== '') {
      const last = parsePosition(lastEventId);
      if (!last) return { reset: 'the last event id cannot be read' };
      if (last.frontier.epoch !== epoch) return { reset: 'the database was replaced or restored' };
      return { last, position: lastEventId.slice(lastEventId.indexOf('-') + 1), starts };
    }
    if (since === null || since === '') {
      if (!starts) return undefined;
      const { position } = this.#source;
      const last = parsePosition(`0-${position}`);
      return last && { last, position, starts };
    }
    // A position has no time, so nobody can tell whether it is from before a crash of PostgreSQL; the current time is used.
    const time = this.#source.time;
    const frontier = since.length > MAX_QUERY ? undefined : Frontier.fromSnapshot(since, epoch, time);
    if (!frontier) return { reset: 'the position in since cannot be read' };
    return { frontier, position: packPosition('0', 0, frontier), starts };
  }

  /** The topics that begin at a position of their own, at which the page read their state. */
  #topicsOf(query: StreamQuery, heard: Heard): Map<Audience, Frontier> | undefined {
    let starts: Map<Audience, Frontier> | undefined;
    for (const topic of heard.topics.keys()) {
      const since = query.get(`since.${topic}`);
      const frontier = since ? Frontier.fromSnapshot(since, this.#source.epoch, this.#source.time) : undefined;
      if (!frontier) continue;
      starts ??= new Map();
      starts.set(topicAudience(topic), frontier);
    }
    return starts;
  }
}
