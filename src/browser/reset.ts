/** Keeps a page that reloads on `djr:reset` from reloading for ever, if every load begins with the same reset. */

const FIRST_WAIT = 20_000;
const LONGEST_WAIT = 3_600_000;

/**
 * Whether the page is told of a reset that came at the beginning of its first stream. It is not told if the same page in this tab was
 * told of one a short while ago; that while doubles with each reset. It is remembered in the session storage, beyond a reload.
 */
export function mayTell(endpoint: string, reason: string): boolean {
  const name = `djr reset ${endpoint}`;
  const now = Date.now();
  const page = location.pathname + location.search;
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  // Without session storage a reload counts as one that a reset has caused.
  let last = { told: load?.type === 'reload' ? 1 : 0, at: now, page };
  try {
    last = JSON.parse(sessionStorage.getItem(name) ?? '{"told":0}');
  } catch {}
  const { told, at } = last;
  if (told > 0 && last.page === page && now - at < Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (told - 1))) {
    console.error(
      `djr: this page's stream begins with a reset again (${reason}), which loading the page did not cure: djr:reset is not fired. Is storage off, or does a proxy drop the query of ${endpoint}?`,
    );
    return false;
  }
  try {
    sessionStorage.setItem(name, JSON.stringify({ told: now - at > LONGEST_WAIT ? 1 : told + 1, at: now, page }));
  } catch {}
  return true;
}
