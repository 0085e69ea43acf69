import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { findProgram, testWith } from '../helpers/debian.js';

const folder = new URL('../../examples/recipes/', import.meta.url);
const FILES = ['django/realtime.py', 'rails/realtime.rb', 'laravel/realtime.php', 'go/realtime.go'];

const recipe = (file: string) => new URL(file, folder).pathname;

/** Debian's own, not one that somebody put before it on PATH. */
const program = (name: string) => findProgram(`/usr/bin/${name}`);

const works = (command: string | undefined, ...args: string[]) =>
  command !== undefined && spawnSync(command, args).status === 0;

test('the page shows every recipe as its file has it', async (t) => {
  const page = await readFile(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
  for (const file of FILES) t.true(page.includes(await readFile(recipe(file), 'utf8')), file);
});

/** What the program of a language has published: for a user, in a transaction undone, for all, and for nobody. */
async function publishes(t: ExecutionContext, run: (db: TestDatabase, folder: string) => string): Promise<void> {
  const db = await createDatabase(t);
  const own = await mkdtemp(path.join(tmpdir(), 'djr-recipe-'));
  t.teardown(() => rm(own, { recursive: true, force: true }));
  const out = run(db, own);
  t.regex(out, /^refused$/m, out);
  t.deepEqual(await db.query('select scope, user_id, type, detail from djr.event order by id'), [
    { scope: 'user', user_id: '42', type: 'order_paid', detail: { ':id': 7 } },
    { scope: 'user', user_id: '42', type: 'empty', detail: {} },
  ]);
}

function output(command: string, args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

const python = program('python3');
testWith(works(python, '-c', 'import django, psycopg2'))("Django's recipe publishes, and refuses None", (t) =>
  publishes(t, (db) => {
    const { hostname, port, username, password } = new URL(db.url);
    const code = `
import sys
sys.path.insert(0, ${JSON.stringify(recipe('django'))})
from django.conf import settings
settings.configure(DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': '${db.name}', 'HOST': '${hostname}', 'PORT': '${port}', 'USER': '${username}', 'PASSWORD': '${password}'}})
import django
django.setup()
from django.db import transaction
from realtime import publish
with transaction.atomic():
    publish(42, 'order_paid', {':id': 7})
try:
    with transaction.atomic():
        publish(42, 'undone')
        raise KeyError
except KeyError:
    pass
publish(42, 'empty')
try:
    publish(None, 'nobody')
except ValueError:
    print('refused')
`;
    return output(python!, ['-c', code]);
  }),
);

const ruby = program('ruby');
testWith(works(ruby, '-e', 'require "active_record"; require "pg"'))("Rails' recipe publishes, and refuses nil", (t) =>
  publishes(t, (db) => {
    const code = `
require ${JSON.stringify(recipe('rails/realtime.rb'))}
ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
ActiveRecord::Base.transaction { Realtime.publish(42, "order_paid", { ":id": 7 }) }
ActiveRecord::Base.transaction do
  Realtime.publish(42, "undone")
  raise ActiveRecord::Rollback
end
Realtime.publish(42, "empty")
begin
  Realtime.publish(nil, "nobody")
rescue ArgumentError
  puts "refused"
end
`;
    return output(ruby!, ['-e', code], { env: { DATABASE_URL: db.url } });
  }),
);

const php = program('php');
testWith(works(php, '-r', 'exit(in_array("pgsql", PDO::getAvailableDrivers()) ? 0 : 1);'))(
  "Laravel's recipe publishes, and refuses null",
  (t) =>
    publishes(t, (db) => {
      const { hostname, port, username, password } = new URL(db.url);
      const code = `
declare(strict_types=1);
require ${JSON.stringify(recipe('laravel/realtime.php'))};
$pdo = new PDO('pgsql:host=${hostname};port=${port};dbname=${db.name}', '${username}', '${password}');
$pdo->beginTransaction();
publish($pdo, 42, 'order_paid', [':id' => 7]);
$pdo->commit();
$pdo->beginTransaction();
publish($pdo, 42, 'undone');
$pdo->rollBack();
publish($pdo, 42, 'empty');
try { publish($pdo, null, 'nobody'); } catch (TypeError) { echo "refused\\n"; }
`;
      return output(php!, ['-r', code]);
    }),
);

const go = program('go');
const LIBRARY = '/usr/share/gocode/src/github.com/lib/pq';
testWith(works(go, 'version') && works('/bin/sh', '-c', `test -d ${LIBRARY}`))(
  "Go's recipe publishes, and refuses an empty user",
  async (t) => {
    const workspace = await mkdtemp(path.join(tmpdir(), 'djr-go-'));
    t.teardown(() => rm(workspace, { recursive: true, force: true }));
    const source = path.join(workspace, 'src');
    await mkdir(path.join(source, 'main'), { recursive: true });
    await mkdir(path.join(source, 'realtime'));
    await cp(recipe('go/realtime.go'), path.join(source, 'realtime/realtime.go'));
    await writeFile(
      path.join(source, 'main/main.go'),
      `package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	_ "github.com/lib/pq"
	"realtime"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctx := context.Background()
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL")+"?sslmode=disable")
	check(err)
	tx, err := db.Begin()
	check(err)
	_, err = realtime.Publish(ctx, tx, "42", "order_paid", map[string]any{":id": 7})
	check(err)
	check(tx.Commit())
	tx, err = db.Begin()
	check(err)
	_, err = realtime.Publish(ctx, tx, "42", "undone", nil)
	check(err)
	check(tx.Rollback())
	_, err = realtime.Publish(ctx, db, "42", "empty", nil)
	check(err)
	if _, err = realtime.Publish(ctx, db, "", "nobody", nil); err != nil {
		fmt.Println("refused")
	}
}
`,
    );
    await publishes(t, (db) =>
      output(go!, ['run', 'main'], {
        cwd: workspace,
        env: {
          DATABASE_URL: db.url,
          GO111MODULE: 'off',
          GOPATH: `${workspace}:/usr/share/gocode`,
          GOCACHE: path.join(workspace, 'cache'),
          GOFLAGS: '-p=1',
        },
      }),
    );
  },
);
