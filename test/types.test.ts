import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the compiler says of an app's file, by the package's own types. */
async function compile(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const cache = path.join(root, 'node_modules/.cache/djr');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(path.join(cache, 'types-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const tsconfig = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'es2022',
      module: 'nodenext',
      jsx: 'react-jsx',
      lib: ['es2023', 'dom'],
      types: ['node'],
      // The package is looked up as an app's is, but lies here.
      rootDir: root,
    },
    include: ['*'],
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const child = spawn(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said;
}

const example = async (page: string, word: string) =>
  [...(await readFile(path.join(root, page), 'utf8')).matchAll(/```tsx?\n([\s\S]*?)```/g)].find(([, code]) =>
    code!.includes(word),
  )![1]!;

test('The typed example of docs/browser.md compiles, and what it registers is held to', async (t) => {
  const code = (await example('docs/browser.md', 'interface Register')).replace(' // or', '\n//');
  t.is(
    await compile(t, {
      'app.mts': `${code}
void [djr, ack, join, seen, close];
window.djr.subscribe('task_complete', ({ task_id }) => task_id.toFixed());
// @ts-expect-error: no such type
subscribe('task_completed', () => {});
// @ts-expect-error: no member of its detail
subscribe('task_complete', ({ id }) => id);
// @ts-expect-error: no such type
connect({ onMessage: (message) => message.type === 'task' });
// @ts-expect-error: no such type, in a room
join('room:7').on('task', () => {});
// @ts-expect-error: no such type, on the page's own object
window.djr.subscribe('task', () => {});
// @ts-expect-error: no member of its detail, on the default export
djr.subscribe('task_complete', ({ id }) => id);
export {};`,
    }),
    '',
  );
});
