import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './repository.ts';

/** A running `meterflow dev`, started as anybody starts it. */
export interface DevServer {
  readonly pid: number;
  readonly dataDir: string;
  /** Names what its services stand on; empty on the data directory's own files. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface DevServerOptions {
  /** `meterflow dev --with …` */
  readonly on?: 'embedded' | 'google-emulators';
  /** Options of Node, for it and for its services. */
  readonly nodeOptions?: readonly string[];
  /** All of its processes together run on the first so many cores; on all when absent. */
  readonly cores?: number;
}

/** Of servers whose processes leave CPU profiles in a folder; as usual where none is named. */
export function profiled(folder: string | undefined): DevServerOptions {
  return folder === undefined ? {} : { nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`] };
}

export async function startDevServer(
  dataDir: string,
  { on = 'embedded', nodeOptions = [], cores }: DevServerOptions = {},
): Promise<DevServer> {
  const entry = join(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs');
  const dev = ['dev', '--with', on, '--json', '--port', '0', '--data-dir', dataDir];
  const pinned = cores === undefined ? [] : ['taskset', '--cpu-list', `0-${cores - 1}`];
  const [command = '', ...words] = [...pinned, process.execPath, ...nodeOptions, entry, ...dev];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { environment } = JSON.parse(await firstLine(child)) as Pick<DevServer, 'environment'>;
  return {
    pid: child.pid as number,
    dataDir,
    environment,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return line;
  }
  throw new Error('meterflow dev ended before it was ready');
}
