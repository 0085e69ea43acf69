/** A page that reloads on `djr:reset` would do so for ever where every load meets the same reset. */

const FIRST_WAIT = 20_000;
const LONGEST_WAIT = 3_600_000;

/**
 * Whether a reset that met the stream with which a page began is told to it: not soon after the last one, and the oftener the
 * rarer. What was told before is kept for the tab, beyond a reload.
 */
export function mayTell(endpoint: string, reason: string): boolean {
  const name = `djr reset ${endpoint}`;
  const now = Date.now();
  let told = 0;
  let at = 0;
  let kept = true;
  try {
    [told, at] = JSON.parse(sessionStorage.getItem(name) ?? '[0,0]');
  } catch {
    kept = false;
  }
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (told - 1));
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  // Without storage a load that is a reload counts as one that a reset has caused.
  if (kept ? told > 0 && now - at < wait : load?.type === 'reload') {
    console.error(
      `djr: this page's stream begins with a reset again (${reason}), which loading the page did not cure: djr:reset is not fired. Is storage off, or does a proxy drop the query of ${endpoint}?`,
    );
    return false;
  }
  try {
    sessionStorage.setItem(name, JSON.stringify([now - at > LONGEST_WAIT ? 1 : told + 1, now]));
  } catch {}
  return true;
}
