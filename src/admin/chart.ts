import { type Html, html } from './html.js';

const WIDTH = 240;
const HEIGHT = 56;

export interface Chart {
  name: string;
  /** The values, oldest first; null: it is not known. */
  values: (number | null)[];
  /** Writes a value with its unit. */
  format(value: number): string;
  /** The least value that the top of the chart stands for. */
  atLeast?: number;
}

/** A chart of one figure: its current value, and a line for the last minutes. */
export function sparkline({ name, values, format, atLeast = 1 }: Chart): Html {
  const known = values.filter((value): value is number => value !== null);
  const now = known.at(-1);
  const highest = Math.max(0, ...known);
  const top = Math.max(atLeast, highest);
  const step = WIDTH / Math.max(1, values.length - 1);
  let pen = 'M';
  const line = values
    .map((value, index) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const point = `${pen}${(index * step).toFixed(1)} ${(HEIGHT - 3 - (value / top) * (HEIGHT - 8)).toFixed(1)}`;
      pen = 'L';
      return point;
    })
    .join('');
  const text = now === undefined ? 'no value yet' : `now ${format(now)}, at most ${format(highest)}`;
  return html`<article class="chart"><h3>${name}</h3>
<p class="now">${now === undefined ? '–' : format(now)}</p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${name}, the last ten minutes: ${text}">
<path class="base" d="M0 ${HEIGHT - 3}H${WIDTH}"></path>${line ? html`<path class="line" d="${line}"></path>` : ''}</svg>
<p class="quiet">at most ${known.length === 0 ? '–' : format(highest)}</p></article>`;
}
