import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RelayOptions } from '../index.js';

export interface RelayFlags {
  relay?: string[];
  relayNamespace?: string;
  relayCredentials?: string;
  relayInterest?: 'all' | 'own';
}

/** Adds the relay's options, which `serve` and `relay` share. @param what - what `--relay` does in the command */
export function relayOptions(command: Command, what: string): Command {
  return command
    .addOption(new Option('--relay <url...>', what).argParser(servers))
    .addOption(
      new Option('--relay-namespace <name>', 'which relay on these servers (default: default)').argParser(namespace),
    )
    .option('--relay-credentials <file>', "NATS's .creds file; a user and a password may stand in the URL instead");
}

/** The relay that the flags ask for; undefined: none. */
export function relayOf(flags: RelayFlags): RelayOptions | undefined {
  if (!flags.relay) return undefined;
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
