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

const REGISTERED = `
interface Events { paid: { total: string }; message: { text: string } }
declare module 'djr/browser' { interface Register { events: Events } }
`;

for (const framework of ['react', 'vue', 'svelte']) {
  test(`djr/${framework} holds components to the events that are registered`, async (t) => {
    t.is(
      await compile(t, {
        'app.mts': `import 'djr/browser';
import { useConnection, useEvent, useRoom } from 'djr/${framework}';
${REGISTERED}
useEvent('paid', ({ total, type }, { id, createdAt }) => [total.length, type satisfies 'paid', id, createdAt]);
useEvent('reset', ({ reason }) => reason.length);
useConnection({ since: '1:1:', onMessage: (message) => message.type === 'paid' && message.total });
useRoom('room:7', { seal: async () => 'seal', on: { message: ({ text }) => text.length } });
// @ts-expect-error: no such type
useEvent('payed', () => {});
// @ts-expect-error: no member of its detail
useEvent('paid', ({ text }) => text);
// @ts-expect-error: options that are none
useConnection({ from: '1:1:' });
// @ts-expect-error: no such type in the map
useRoom('room:7', { on: { massage: () => {} } });
// @ts-expect-error: no member of its detail
useRoom('room:7', { on: { message: ({ total }) => total } });
// @ts-expect-error: a topic is a text
useRoom(7);
export {};`,
      }),
      '',
    );
  });
}
