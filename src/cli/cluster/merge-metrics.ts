/**
 * Merges the Prometheus texts of several processes into one, in which each sample has a label `worker`. The processes are instances, and
 * a sum would hide which of them no longer listens.
 *
 * @param texts - the text of each worker
 */
export function mergeMetrics(texts: ReadonlyMap<string, string>): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const [worker, text] of texts) {
    let family = { head: [] as string[], samples: [] as string[] };
    let first = false;
    for (const line of text.split('\n')) {
      const [, keyword, name] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
      if (keyword === 'HELP') {
        first = !families.has(name!);
        family = families.get(name!) ?? { head: [], samples: [] };
        families.set(name!, family);
      }
      if (keyword !== undefined) {
        if (first) family.head.push(line);
      } else if (line !== '') {
        const label = `worker="${worker}"`;
        family.samples.push(
          line.replace(
            /^(\w+)(?:\{(.*)\})? /,
            (_, metric: string, labels?: string) => `${metric}{${labels ? `${labels},` : ''}${label}} `,
          ),
        );
      }
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
}
