import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { codesIn, compareCodes, lintErrors } from '../../scripts/error-catalogue.js';
import { RUNTIME_CODES, SQLSTATES } from '../../scripts/error-entries.js';

test('every code that SQL or the runtime raises is in the catalogue, and none is there that nothing raises', async (t) => {
  t.deepEqual(await lintErrors(), []);
});

test('a code that is missing, or that nothing raises, is found', (t) => {
  const raised = new Map([...SQLSTATES, ...RUNTIME_CODES].map(({ code }) => [code, 'a.sql']));
  t.deepEqual(compareCodes(raised), []);
  t.regex(compareCodes(new Map([...raised, ['DJR99', 'sql/new.sql']])).join(), /^sql\/new\.sql raises DJR99/);
  raised.delete('DJR01');
  t.regex(compareCodes(raised).join(), /has DJR01, which nothing raises/);
});

test('codes are found as SQL and TypeScript raise them', (t) => {
  t.deepEqual(codesIn("raise exception using\n  errcode = 'DJR10',\n  message = 'a'"), ['DJR10']);
  t.deepEqual(codesIn("throw new DjrError('DJR_CONFIG', 'a'); new DjrError(\n  // why\n  'DJR02', 'b')"), [
    'DJR_CONFIG',
    'DJR02',
  ]);
  t.deepEqual(codesIn("env.DJR_JWT_SECRET; if (code === 'DJR_BUSY')"), []);
});

test('the documents and the comments of the schema name no SQLSTATE that there is not', async (t) => {
  const codes = SQLSTATES.map(({ code }) => code);
  const documents = (await readdir('docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`);
  for (const file of [...documents, 'README.md', 'sql/schema.txt']) {
    for (const [code] of (await readFile(file, 'utf8')).matchAll(/\bDJR\d\d\b/g))
      t.true(codes.includes(code), `${file}: ${code}`);
  }
});
