/**
 * Writes docs/cli.md from what `--help` really says; `--check` fails when it is not what is there.
 *
 *   node --import=tsx scripts/docs-cli.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { createProgram } from '../src/cli/program.js';

const file = new URL('../docs/cli.md', import.meta.url);

function help(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return `\`\`\`text\n${text.replace(/[ \t]+$/gm, '').trim()}\n\`\`\``;
}

const program = createProgram();
const commands = program.commands.map((command) => `## djr ${command.name()}\n\n${help(command)}`);
const page = `<!-- Made by "npm run docs:cli" from the commands' own help: change that, not this file. -->
# The command \`djr\`

${help(program)}

${commands.join('\n\n')}
`;

if (process.argv.includes('--check')) {
  const existing = await readFile(file, 'utf8').catch(() => '');
  if (existing !== page) {
    process.stderr.write('docs/cli.md is not what --help says: run "npm run docs:cli" and commit it.\n');
    process.exitCode = 1;
  }
} else await writeFile(file, page);
