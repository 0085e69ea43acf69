/**
 * The modules of src/ that read files of the package become constants in dist/. An app that is bundled into one file, or copied without
 * the rest of the package (`standalone` of Next, `.output` of Nuxt), has them along.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const BAKED = [
  'lib/version',
  'install/newest-migration',
  'install/migration-files',
  'http/endpoints/client-scripts',
  'admin/assets',
];

/** Runs the modules as they are in src/, and writes what they export. What they read must be built already. */
export async function bake(): Promise<void> {
  await Promise.all(
    BAKED.map(async (name) => {
      const module = (await import(pathToFileURL(path.resolve(`src/${name}.ts`)).href)) as Record<string, unknown>;
      const lines = Object.entries(module).map(([key, value]) => `export const ${key} = ${JSON.stringify(value)};\n`);
      await writeFile(`dist/${name}.js`, lines.join(''));
    }),
  );
}
