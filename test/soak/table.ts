import { compare, type Figure, type SoakRound } from './soak.js';

/** Bytes that the process may have more in the end: what V8 and malloc keep of what was freed is most of it. */
const RSS_MARGIN = 64;
/** Each connection of the pool has one while it is idle; there are ten at most, and the listener's. */
const POOL = 11;

interface Row {
  readonly name: string;
  readonly figure: Figure;
  /** What one of the unit is. */
  readonly unit: number;
  /** How much it may grow, in units; undefined: that is said, and nothing else. */
  readonly most?: number;
}

const rows = (margin: number): Row[] => [
  { name: 'heap and buffers, MiB', figure: 'heap', unit: 2 ** 20, most: margin },
  { name: 'buffers alone, MiB', figure: 'external', unit: 2 ** 20 },
  { name: 'RSS, MiB', figure: 'rss', unit: 2 ** 20, most: RSS_MARGIN },
  { name: 'sockets', figure: 'sockets', unit: 1, most: POOL },
  { name: 'connections to PostgreSQL', figure: 'connections', unit: 1, most: POOL },
  { name: 'timers', figure: 'timers', unit: 1, most: POOL },
];

/** What has grown by more than it may, in words. */
export function excesses(rounds: readonly SoakRound[], margin: number): string[] {
  return rows(margin).flatMap(({ name, figure, unit, most = Number.POSITIVE_INFINITY }) => {
    const grown = compare(rounds, figure).grown / unit;
    return grown > most ? [`${name}: ${grown.toFixed(1)} more, and ${most} is the most`] : [];
  });
}

/** One table, for people. `margin`: how many MiB the heap may grow. */
export function table(rounds: readonly SoakRound[], margin: number): string {
  const line = (name: string, ...cells: string[]) => name.padEnd(28) + cells.map((cell) => cell.padStart(12)).join('');
  const figures = rows(margin).map(({ name, figure, unit, most }) => {
    const { first, last, grown } = compare(rounds, figure);
    const shown = [first, last, grown].map((value) => (value / unit).toFixed(unit === 1 ? 0 : 1));
    return line(name, ...shown, most === undefined ? '' : String(most));
  });
  const sums: [string, (round: SoakRound) => number][] = [
    ['deliveries', ({ deliveries }) => deliveries],
    ['came back, from memory', ({ memory }) => memory],
    ['came back, from storage', ({ storage }) => storage],
    ['closed at their bound', ({ slow }) => slow],
    ['broke off', ({ aborted }) => aborted],
    ['failures', ({ failures }) => failures.length],
  ];
  const sum = (of: (round: SoakRound) => number) =>
    rounds.reduce((total, round) => total + of(round), 0).toLocaleString('en');
  return [
    line('left by clients that are gone', 'first', 'last', 'grown', 'at most').trimEnd(),
    ...figures.map((row) => row.trimEnd()),
    '',
    line('rounds', String(rounds.length)),
    ...sums.map(([name, of]) => line(name, sum(of))),
  ].join('\n');
}
