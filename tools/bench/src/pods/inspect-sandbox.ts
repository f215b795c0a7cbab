import { existsSync, readFileSync } from 'node:fs';
import { containerProcess } from './container-process.ts';
import { kubectl } from './kubectl.ts';
import { namespace, type Pod } from './local-overlay.ts';

/** What the kernel says of a container's first process. */
export interface Confined {
  readonly uid: number;
  readonly capabilities: string;
  readonly noNewPrivileges: boolean;
  /** Filters of system calls: that of the container, and those that it put on itself. */
  readonly filters: number;
  readonly rootIsReadOnly: boolean;
  readonly hasToken: boolean;
  readonly environment: readonly string[];
}

export async function confinementOf(pod: Pod | undefined, container: string): Promise<Confined> {
  const process = `/proc/${await containerProcess(pod, container)}`;
  const status = readFileSync(`${process}/status`, 'utf8');
  const told = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const mounts = readFileSync(`${process}/mountinfo`, 'utf8');
  return {
    uid: Number(told('Uid')),
    capabilities: told('CapEff'),
    noNewPrivileges: told('NoNewPrivs') === '1',
    filters: Number(told('Seccomp_filters')),
    rootIsReadOnly: /^\d+ \d+ \S+ \S+ \/ ro[ ,]/m.test(mounts),
    // Where Kubernetes mounts tokens, below the container's own root as the kernel shows it.
    hasToken: existsSync(`${process}/root/var/run/secrets`) || existsSync(`${process}/root/run/secrets`),
    environment: readFileSync(`${process}/environ`, 'utf8')
      .split('\0')
      .map((each) => each.split('=')[0] ?? '')
      .filter((each) => each !== ''),
  };
}

/** Runs a command in a container; resolves with what it prints. */
export async function inContainer(
  pod: Pod | undefined,
  container: string,
  command: readonly string[],
): Promise<string> {
  const exec = ['-n', namespace, 'exec', pod?.metadata.name ?? '', '-c', container, '--', ...command];
  return (await kubectl(exec)).trim();
}

/** A program of a few words for {@link inContainer}: no image of ours has a shell. */
function node(program: string): readonly string[] {
  return ['/usr/local/bin/node', '-e', program];
}

/** Prints the error's code, or `connected`. */
export function connecting(host: string, port: number): readonly string[] {
  return node(`require('net').connect(${port}, '${host}', () => { console.log('connected'); process.exit() })
    .on('error', ({ code }) => { console.log(code) })`);
}

/** Prints the error's code of the first file that can't be made in each folder, or `written`. */
export function writing(folders: readonly string[]): readonly string[] {
  return node(`console.log(${JSON.stringify(folders)}.map((folder) => {
    try { require('fs').writeFileSync(folder + '/planted', 'x'); return folder + ' written' } catch ({ code }) { return folder + ' ' + code }
  }).join())`);
}
