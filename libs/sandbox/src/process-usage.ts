import { readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** CPU time since it began, in user and system mode. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

// USER_HZ and the page size are 100 and 4,096 on every Linux that Node is built for (arm64 pages of 64 KiB read low).
const msPerTick = 10;
const pageBytes = 4_096;

/** What a process used so far; undefined where the kernel does not say (no /proc) or the process is gone. */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold anything; utime and stime are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const resident = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1];
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * msPerTick,
      residentBytes: Number(resident) * pageBytes,
    };
  } catch {
    return undefined;
  }
}
