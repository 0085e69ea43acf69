import pg from 'pg';
import { DjrError } from '../lib/errors.js';
import { asLibpq } from './libpq.js';
import { select } from './select.js';

/** Milliseconds for all hosts together, if the configuration sets no limit. */
const CONNECTION_TIMEOUT = 10_000;

/** The lists of hosts and ports in an address, or in a configuration without one. */
interface Named {
  hosts: string[];
  ports: string[];
  /** The same configuration for one of them. */
  only(host: string, port: string | undefined): pg.ClientConfig;
}

const AUTHORITY = /^([a-z]+:\/\/(?:[^/?#]*@)?)([^/?#]*)/;

function named(config: pg.ClientConfig, environment: NodeJS.ProcessEnv): Named {
  const address = config.connectionString;
  if (address === undefined) {
    return {
      hosts: (config.host ?? environment.PGHOST ?? '').split(','),
      ports: String(config.port ?? environment.PGPORT ?? '').split(','),
      only: (host, port) => ({ ...config, host, port: Number(port || 5432) }),
    };
  }
  const [, before = '', authority = ''] = AUTHORITY.exec(address) ?? [];
  const parameters = parametersOf(address);
  // As in libpq, a parameter `host` takes precedence over the host before the path.
  if (parameters.has('host')) {
    const [hosts, ports] = [parameters.get('host')!.split(','), (parameters.get('port') ?? '').split(',')];
    const path = address.slice(before.length + authority.length).split('?')[0];
    const only = (host: string, port: string | undefined) => {
      const rest = new URLSearchParams(parameters);
      rest.set('host', host);
      if (port) rest.set('port', port);
      return { ...config, connectionString: `${before}${authority.split(',')[0]}${path}?${rest}` };
    };
    return { hosts, ports, only };
  }
  const rest = address.slice(before.length + authority.length);
  return {
    hosts: authority.split(','),
    ports: [''],
    only: (host) => ({ ...config, connectionString: `${before}${host}${rest}` }),
  };
}

const parametersOf = (address = ''): URLSearchParams =>
  new URLSearchParams(address.includes('?') ? address.slice(address.indexOf('?') + 1) : '');

/** Whether the host or PGHOST is a list, so that {@link ManyHostsClient} is needed. */
export const hasManyHosts = (config: pg.ClientConfig, environment = process.env): boolean =>
  named(config, environment).hosts.length > 1;

/**
 * The configuration for each host of an address, in order, with libpq's parameters translated for `pg`.
 *
 * @throws {@link DjrError} `DJR_CONFIG` if hosts and ports do not pair, or `target_session_attrs` asks for a standby
 */
export function eachHost(config: pg.ClientConfig, environment = process.env): pg.ClientConfig[] {
  const { hosts, ports, only } = named(config, environment);
  if (sessionAttrs(config, environment) === 'prefer-standby') {
    throw new DjrError(
      'DJR_CONFIG',
      'target_session_attrs must be read-write, primary or any (it is prefer-standby).',
      {
        hint: 'NOTIFY works on the primary only.',
      },
    );
  }
  if (hosts.includes('')) {
    throw new DjrError('DJR_CONFIG', 'Each host in the address of the database must have a name, and one is empty.', {
      hint: 'Write the hosts with a comma between two: postgres://USER:PASSWORD@ONE:5432,TWO:5432/DATABASE.',
    });
  }
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new DjrError(
      'DJR_CONFIG',
      `The address of the database must have one port, or one for each host (it has ${hosts.length} hosts and ${ports.length} ports).`,
      { hint: 'Name as many ports as hosts, in the same order.' },
    );
  }
  return hosts.map((host, place) => asLibpq(only(host, ports[ports.length > 1 ? place : 0]), environment));
}

/** The `target_session_attrs` of the address or of libpq's variable. The default is the primary, as NOTIFY works on no other server. */
function sessionAttrs(config: pg.ClientConfig, environment = process.env): string {
  return (
    parametersOf(config.connectionString).get('target_session_attrs') || environment.PGTARGETSESSIONATTRS || 'primary'
  );
}

/**
 * A client for an address with several hosts. As libpq does, it tries them in order: a first connection asks the server whether it is the
 * right one, and then the client connects to the first that is.
 *
 * A host that does not answer takes its share of the time-out, and then the next one is tried. A wrong password ends the search.
 */
export class ManyHostsClient extends pg.Client {
  readonly #hosts: pg.ClientConfig[];
  readonly #attrs: string;

  constructor(config: pg.ClientConfig = {}) {
    const hosts = eachHost(config);
    super(hosts[0]);
    this.#hosts = hosts;
    this.#attrs = sessionAttrs(config);
  }

  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | undefined {
    const connected = this.#findHost().then((host) => {
      // Two hosts differ only in the fields that lead to the server, all of which `pg` sets when a client is made.
      const { connection, connectionParameters, host: name, port, ssl } = new pg.Client(host) as unknown as Way;
      Object.assign(this, { connection, connectionParameters, host: name, port, ssl });
      return super.connect() as unknown as Promise<this>;
    });
    if (callback === undefined) return connected;
    connected.then(() => callback(undefined as unknown as Error), callback);
    return undefined;
  }

  async #findHost(): Promise<pg.ClientConfig> {
    const failures: string[] = [];
    for (const host of this.#hosts) {
      const limit = (host.connectionTimeoutMillis || CONNECTION_TIMEOUT) / (this.#hosts.length + 1);
      const client = new pg.Client({ ...host, connectionTimeoutMillis: limit, query_timeout: limit });
      client.on('error', () => {});
      try {
        await client.connect();
        const unfit = this.#attrs === 'any' ? undefined : await unfitness(client, this.#attrs);
        if (unfit === undefined) return host;
        failures.push(`${client.host}:${client.port} ${unfit}`);
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        // An error about the login or the database would be the same on every host.
        if (/^(28|3D)...$/.test(code ?? '')) throw error;
        failures.push(`${client.host}:${client.port} ${code ?? message}`);
      } finally {
        void client.end().catch(() => {});
      }
    }
    const wanted = this.#attrs === 'any' ? 'answer' : 'be the primary';
    throw new DjrError('DJR_NO_PRIMARY', `One of the hosts must ${wanted} (${failures.join('; ')}).`, {
      hint: 'During a failover none may be for a while; else correct the hosts in the address of the database.',
    });
  }
}

/** The fields of a `pg` client that lead to its server. */
type Way = Record<'connection' | 'connectionParameters' | 'host' | 'port' | 'ssl', unknown>;

async function unfitness(client: pg.Client, attrs: string): Promise<string | undefined> {
  const [server] = await select<{ standby: boolean; read_only: string }>(
    client,
    `select pg_catalog.pg_is_in_recovery() as standby,
            pg_catalog.current_setting('transaction_read_only') as read_only`,
  );
  if (server!.standby) return 'is a standby';
  return attrs === 'read-write' && server!.read_only === 'on' ? 'can only be read' : undefined;
}
