import { inboxFor } from './engine.js';
import { Subjects } from './subjects.js';

/**
 * The configuration of nats-server that lets a source write the log, and an edge only read it: an edge can neither publish events
 * nor purge, delete or change the stream.
 */
export function printPermissions(namespace: string): string {
  const subjects = new Subjects(namespace);
  const { stream } = subjects;
  const list = (all: string[]) => `[${all.map((one) => JSON.stringify(one)).join(', ')}]`;
  const reading = [`$JS.API.DIRECT.GET.${stream}`, `$JS.API.STREAM.MSG.GET.${stream}`];
  const managing = ['INFO', 'CREATE', 'UPDATE'].map((what) => `$JS.API.STREAM.${what}.${stream}`);
  const source = {
    publish: [subjects.log, subjects.live(subjects.log), subjects.tell('>'), '_INBOX.djr.>', ...reading, ...managing],
    subscribe: [subjects.live(subjects.log), subjects.ask('>'), `${inboxFor(namespace, 'source')}.>`],
  };
  const edge = {
    publish: [subjects.ask('*'), ...reading],
    subscribe: [subjects.live(subjects.log), subjects.tell('>'), `${inboxFor(namespace, 'edge')}.>`],
  };
  const user = (name: string, { publish, subscribe }: typeof source) => `    {
      user: ${name}
      # Better a bcrypted one: nats server passwd
      password: "change me"
      permissions {
        publish: ${list(publish)}
        subscribe: ${list(subscribe)}
      }
    }`;
  return `# Of a relay of djr with the namespace ${namespace}. A part of nats-server's configuration.
authorization {
  users: [
${user(`djr_${namespace}_source`, source)}
${user(`djr_${namespace}_edge`, edge)}
  ]
}
`;
}
