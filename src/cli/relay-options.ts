import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RelayOptions } from '../index.js';
import { UsageError } from './failure.js';

export interface RelayFlags {
  relay?: string[];
  relayNamespace?: string;
  relayCredentials?: string;
  relayInterest?: 'all' | 'own';
}

/** The options that say something of the relay which `--relay` names. */
const OF_RELAY = [
  ['relayNamespace', '--relay-namespace'],
  ['relayCredentials', '--relay-credentials'],
  ['relayInterest', '--relay-interest'],
] as const;

/** Adds the relay's options, which `serve` and `relay` share. @param what - what `--relay` does in the command */
export function relayOptions(command: Command, what: string): Command {
  return command
    .addOption(new Option('--relay <url...>', what).argParser(servers))
    .addOption(
      new Option('--relay-namespace <name>', 'which relay on these servers (default: default)').argParser(namespace),
    )
    .option('--relay-credentials <file>', "NATS's .creds file; a user and a password may stand in the URL instead");
}

/** The relay that the flags ask for; undefined: none. @throws UsageError if they say something of a relay, and name none */
export function relayOf(flags: RelayFlags): RelayOptions | undefined {
  if (!flags.relay) {
    const given = OF_RELAY.find(([name]) => flags[name] !== undefined);
    if (!given) return undefined;
    throw new UsageError(`${given[1]} says nothing without --relay.`, 'Give --relay nats://10.0.0.5:4222 with it.');
  }
  return {
    servers: flags.relay,
    ...(flags.relayNamespace !== undefined && { namespace: flags.relayNamespace }),
    ...(flags.relayCredentials !== undefined && { credentials: flags.relayCredentials }),
    ...(flags.relayInterest !== undefined && { interest: flags.relayInterest }),
  };
}

function servers(text: string, before: string[] = []): string[] {
  const all = text.split(',');
  if (all.every((one) => /^(nats|tls):\/\/./.test(one) && URL.canParse(one))) return [...before, ...all];
  throw new InvalidArgumentError('It must be an address like nats://10.0.0.5:4222.');
}

function namespace(text: string): string {
  if (/^[\w-]{1,32}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 32 letters, digits, - and _.');
}
