import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pod } from './local-overlay.ts';

/** The first process of a container, as a process of the node sees it. */
export async function containerProcess(pod: Pod | undefined, container: string): Promise<number> {
  const status = pod?.status.containerStatuses?.find(({ name }) => name === container);
  const id = status?.containerID?.replace('containerd://', '') ?? '';
  const { stdout } = await promisify(execFile)('ctr', ['-n', 'k8s.io', 'task', 'ls']);
  const task = stdout.split('\n').find((line) => id !== '' && line.startsWith(id));
  if (task === undefined) {
    throw new Error(`no process of ${container} in ${pod?.metadata.name ?? 'no pod'}`);
  }
  return Number(task.split(/\s+/)[1]);
}

/** What the kernel gives a container's processes of memory; of cgroups of either version. */
export class ContainerMemory {
  readonly #folder: string;
  readonly #isFirst: boolean;

  /** `pid`: any process of the container. */
  constructor(pid: number) {
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
    const first = groups.find((each) => /^\d+:memory:/.test(each));
    const path = (first ?? groups.find((each) => each.startsWith('0::')) ?? '').split(':')[2] ?? '';
    this.#isFirst = first !== undefined;
    this.#folder = join(this.#isFirst ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', path);
  }

  /** Without what could be read again from files. 0 when the container has ended. */
  heldBytes(): number {
    const file = join(this.#folder, 'memory.stat');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return Number((this.#isFirst ? /^total_rss (\d+)/m : /^anon (\d+)/m).exec(text)?.[1] ?? 0);
  }

  /** Nothing happens where it holds more by now, or has ended. */
  limitTo(bytes: number): void {
    try {
      writeFileSync(join(this.#folder, this.#isFirst ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
    } catch {
      // The kernel found nothing to take back, or the group is gone: whoever asked looks whether the container lives.
    }
  }
}
