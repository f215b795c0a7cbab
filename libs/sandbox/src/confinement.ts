import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** What a program is started through, so that the kernel takes from it what it does not need. */
export type Confinement = readonly string[];

/**
 * What the kernel keeps from a child that runs, as the kernel itself tells it. Node's permission model stands before
 * all of it, and is all there is where these are false: on other systems, and where a container forbids them.
 */
export interface Isolation {
  /** It has no network: not even the machine's own addresses. */
  readonly network: boolean;
  /** It can make no file longer than it is. */
  readonly files: boolean;
  /** It holds no capability, and nothing that it runs can gain any. */
  readonly privileges: boolean;
}

/** No file grows, no core is dumped when a child is made to crash, few descriptors are open, and the shell leaves no environment. */
const limited = ['/bin/sh', '-c', 'ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && exec env -i TZ=UTC "$@"', 'sh'];
const noNewPrivileges = ['setpriv', '--no-new-privs'];
const spaces = ['--net', '--ipc', '--uts', '--'];

/** The strongest first. Everybody may make a user namespace where the kernel lets them; root needs none. */
const candidates: readonly Confinement[] = [
  [...limited, 'unshare', '--user', ...spaces, ...noNewPrivileges],
  [...limited, 'unshare', ...spaces, ...noNewPrivileges, '--bounding-set=-all', '--inh-caps=-all'],
  [...limited, 'unshare', '--user', ...spaces],
  [...limited, ...noNewPrivileges],
  limited,
];

/** All that a child finds in its environment: local time means the same on every machine. */
export const childEnvironment = { TZ: 'UTC' };

const probeMsMax = 2_000;
let found: Confinement | undefined;

/** The strongest confinement that this machine grants; tried once a process. Empty where there is none. */
export function confinement(): Confinement {
  found ??= candidates.find(([command = '', ...rest]) => {
    const probe = spawnSync(command, [...rest, '/bin/true'], {
      env: childEnvironment,
      stdio: 'ignore',
      timeout: probeMsMax,
    });
    return probe.status === 0;
  });
  return (found ??= []);
}

/** The words of a command that runs Node so confined: the program first. */
export function confinedNode(nodeArguments: readonly string[]): readonly [string, ...string[]] {
  const [program = process.execPath, ...rest] = [...confinement(), process.execPath, ...nodeArguments];
  return [program, ...rest];
}

/** What holds of a running process; undefined where the kernel does not say. */
export function isolationOf(pid: number): Isolation | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return {
      network: readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net'),
      files: /^Max file size +0 +0 /m.test(readFileSync(`/proc/${pid}/limits`, 'latin1')),
      privileges: /^NoNewPrivs:\s+1$/m.test(status) && /^CapEff:\s+0+$/m.test(status),
    };
  } catch {
    return undefined;
  }
}
