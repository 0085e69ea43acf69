import { readFile } from 'node:fs/promises';
import test from 'ava';
import { clientCases } from '../conformance/case.js';
import { type Fired, runClientCases } from '../conformance/client-runner.js';
import { useChromium } from './helpers/chromium.js';

const newContext = useChromium();

/** A page with djr's client, which tells of each event and each reset that it fires. */
const PAGE = `<!doctype html><title>conformance</title><script type="module">
  import { connect } from '/djr.mjs';
  const onMessage = (detail) => detail.type === 'connected' || tell({ type: detail.type, detail });
  connect({ endpoint: '/realtime/sse/', onMessage });
</script>`;

test("djr's browser client passes every case of the wire", async (t) => {
  const client = await readFile('dist/browser/djr.mjs', 'utf8');
  const start = async (url: string) => {
    const fired: Fired[] = [];
    const page = await (await newContext(t)).newPage();
    await page.exposeFunction('tell', (event: Fired) => fired.push(event));
    await page.route('**/page', (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
    await page.route('**/djr.mjs', (route) => route.fulfill({ contentType: 'text/javascript', body: client }));
    await page.goto(new URL('/page', url).href);
    return { fired, close: () => page.context().close() };
  };
  const cases = await clientCases();
  const outcomes = await runClientCases(cases, { start, patience: 60_000 });
  t.deepEqual(
    outcomes.filter(({ result }) => result !== 'passed'),
    [],
  );
  t.is(outcomes.length, cases.length);
});

test('A client that fires nothing passes no case', async (t) => {
  const silent = async () => ({ fired: [], close: async () => {} });
  const outcomes = await runClientCases(await clientCases(), { start: silent, patience: 300 });
  t.deepEqual(
    outcomes.filter(({ result }) => result !== 'failed').map(({ name }) => name),
    [],
  );
});
