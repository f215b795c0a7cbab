import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

/** The files by which the kernel is told how much memory a process's container may use, and tells how much it does. */
export function memoryFiles(pid: number): { readonly limit: string; readonly used: string } {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const line = groups.find((each) => /^\d+:memory:/.test(each)) ?? groups.find((each) => each.startsWith('0::')) ?? '';
  const path = line.split(':')[2] ?? '';
  const first = join('/sys/fs/cgroup/memory', path);
  return existsSync(first)
    ? { limit: join(first, 'memory.limit_in_bytes'), used: join(first, 'memory.usage_in_bytes') }
    : { limit: join('/sys/fs/cgroup', path, 'memory.max'), used: join('/sys/fs/cgroup', path, 'memory.current') };
}
