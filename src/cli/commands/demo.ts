import { type Command, Option } from 'commander';
import { migrate } from '../../install/migrate.js';
import { startEmbedded } from '../../testing/embedded.js';
import { hostOption, portOption, subcommand } from '../command.js';
import { Lifetime } from '../lifetime.js';
import { toListenError } from '../listen.js';

interface DemoOptions {
  port: number;
  host: string;
  embedded?: string;
}

/** The exports of examples/chatroom/server.js. */
interface Chatroom {
  startChatroom(options: {
    databaseUrl: string;
    port: number;
    host: string;
  }): Promise<{ url: string; adminUrl: string; close(): Promise<void> }>;
}

/** The exports of examples/playground/server.js. */
interface Playground {
  startPlayground(options: { databaseUrl: string; port: number }): Promise<{ url: string; close(): Promise<void> }>;
}

const chatroom = new URL('../../../examples/chatroom/server.js', import.meta.url).href;
const playground = new URL('../../../examples/playground/server.js', import.meta.url).href;

export function demoCommand(program: Command): void {
  subcommand(program, 'demo', 'start a chat room on a PostgreSQL of its own')
    .description(
      'Starts a PostgreSQL of its own, installs djr in it, and opens a chat room and a playground. Everything is gone when it ends. Open the ' +
        'chat room in two windows, under two names, and chat; publish from psql with the line that it prints. The playground, on loopback only, ' +
        'runs SQL on the left and shows on the right who hears it. The sources are in examples/chatroom and examples/playground.',
    )
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(new Option('--embedded <dir>', 'keep the data in DIR (default: a temporary directory)'))
    .addHelpText(
      'after',
      `
Examples:
  $ djr demo
  $ djr demo --port 9000 --host 0.0.0.0      so that the phone in your hand can join`,
    )
    .action(run);
}

async function run(options: DemoOptions): Promise<void> {
  const lifetime = new Lifetime();
  await lifetime.run(async () => {
    const database = await startEmbedded({ directory: options.embedded });
    lifetime.onStop(() => database.dispose());
    await migrate(database.url);

    const { startChatroom }: Chatroom = await import(chatroom);
    const { host, port } = options;
    const room = await startChatroom({ databaseUrl: database.url, port, host }).catch((error: unknown) => {
      throw toListenError(error, { host, port });
    });
    lifetime.onStop(() => room.close());

    const { startPlayground }: Playground = await import(playground);
    const play = await startPlayground({ databaseUrl: database.url, port: port === 0 ? 0 : port + 1 }).catch(
      // The default port is taken. Any other port will do, as nobody has been told about it yet.
      () => startPlayground({ databaseUrl: database.url, port: 0 }),
    );
    lifetime.onStop(() => play.close());

    const hello = `select djr.publish_topic('room:lobby', 'chat_message', '{"name": "psql", "text": "Hello from SQL!"}')`;
    process.stdout.write(`The chat room is at ${room.url}
Two guests, in two windows of one browser: ${room.url}?as=Ann and ${room.url}?as=Bob
The playground is at ${play.url}: SQL on the left, three browsers on the right

listening on ${room.url}realtime/
database ${database.url}

Say something from SQL:

  psql '${database.url}' -c ${JSON.stringify(hello)}

See what is going on, by a link that works once:

  ${room.adminUrl}

Ctrl-C ends.
`);
  });
}
