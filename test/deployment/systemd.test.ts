import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { findProgram, testWith } from '../helpers/debian.js';
import { adapt, codeBlocks } from '../helpers/document.js';

const analyze = findProgram('systemd-analyze');

testWith(analyze !== undefined)('systemd finds nothing wrong with the unit of the document', async (t) => {
  const [unit] = await codeBlocks('deployment.md', 'ini');
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-systemd-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'djr.service');
  await writeFile(
    file,
    adapt(unit!, [
      ['/usr/bin/node', process.execPath],
      ['User=app', `User=${userInfo().username}`],
    ]),
  );
  const { status, stdout, stderr } = spawnSync(analyze!, ['verify', file], { encoding: 'utf8' });
  t.is(status, 0, stderr);
  t.is(
    `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line.includes('djr.service'))
      .join('\n'),
    '',
  );
});
