import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder that nobody needs after this process. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

const OPTIONS = { recursive: true, force: true, maxRetries: 3 };

/** Makes a temporary folder. It is removed at the latest when the process exits, for example because of a signal during a start. */
export async function temporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), prefix));
  const atExit = () => {
    try {
      rmSync(folder, OPTIONS);
    } catch {
      // A process that still ends may write into it. The exit goes on all the same.
    }
  };
  process.once('exit', atExit);
  return {
    path: folder,
    async remove() {
      process.off('exit', atExit);
      await rm(folder, OPTIONS);
    },
  };
}
