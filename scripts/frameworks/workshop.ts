import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import semver from 'semver';
import type { Example } from './examples.js';

/** What a framework leaves in its folder. */
const MADE = /[\\/](node_modules|\.next|\.nuxt|\.output|\.svelte-kit|\.react-router|\.astro|dist|build)$/;

/** The Node that is fetched where the running one is too old for a framework. */
const NEWER_NODE = '24';

/** @returns what it has written; @throws when it does not succeed, with what it wrote */
export function run(cwd: string, command: string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Folders of apps, and the packed file that they install. */
export class Workshop {
  readonly root: string;
  readonly #tarball: string;
  #newerNode: string | undefined;

  constructor(root: string) {
    this.root = root;
    const packed = run(process.cwd(), ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', root]);
    this.#tarball = path.join(root, /djr-\S+\.tgz/.exec(packed)![0]);
  }

  /** Copies an example into a folder of its own and installs it there. */
  async install(
    name: string,
    { folder: source = name, packages = {} }: Pick<Example, 'folder' | 'packages'> = {},
  ): Promise<string> {
    const folder = path.join(this.root, name);
    await mkdir(folder, { recursive: true });
    await cp(`examples/${source}`, folder, { recursive: true, filter: (file) => !MADE.test(file) });
    const file = path.join(folder, 'package.json');
    const manifest = JSON.parse((await readFile(file, 'utf8')).replace('file:../..', `file:${this.#tarball}`));
    for (const list of [manifest.dependencies ?? {}, manifest.devDependencies ?? {}]) {
      for (const [wanted, version] of Object.entries(packages)) if (wanted in list) list[wanted] = version;
    }
    await writeFile(file, JSON.stringify(manifest));
    this.npm(folder, 'install');
    return folder;
  }

  /** An app with nothing but these packages. */
  async make(name: string, dependencies: Record<string, string>): Promise<string> {
    const folder = path.join(this.root, name);
    await mkdir(folder, { recursive: true });
    const manifest = { private: true, type: 'module', dependencies: { djr: `file:${this.#tarball}`, ...dependencies } };
    await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
    this.npm(folder, 'install');
    return folder;
  }

  npm(folder: string, ...args: string[]): void {
    run(folder, ['npm', ...args, '--no-audit', '--no-fund', '--no-progress']);
  }

  /** The environment in which commands of an app are found, and the Node that its framework asks for. */
  async environment(folder: string, node?: string): Promise<NodeJS.ProcessEnv> {
    const paths = [path.join(folder, 'node_modules/.bin'), process.env.PATH];
    if (node && !semver.satisfies(process.versions.node, `>=${node}`)) {
      this.#newerNode ??= await this.#fetchNode();
      paths.unshift(this.#newerNode);
    }
    const { NODE_OPTIONS: _, ...env } = process.env;
    return { ...env, PATH: paths.join(path.delimiter), NO_COLOR: '1', CI: 'true' };
  }

  /** @returns the folder in which it is */
  async #fetchNode(): Promise<string> {
    const folder = await this.make('node', { node: NEWER_NODE });
    return path.join(folder, 'node_modules/.bin');
  }
}
