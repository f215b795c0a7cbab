import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Ends a part when the process that started it has ended, even by SIGKILL, and removes the part's folder. */
export interface Watch {
  of(pid: number | undefined): void;
  /** The part has ended by itself or was stopped. Resolves when its folder is gone. */
  end(): Promise<void>;
}

/** The parent holds the other end of its input: that ends with the parent, whatever ended it. */
const script = `
trap '' INT TERM HUP
read -r pid
read -r word
if [ "$word" != ended ] && [ -n "$pid" ]; then kill -KILL "$pid"; fi
rm -rf -- "$1"`;

export function endWithParent(folder: string): Watch {
  const shell = spawn('/bin/sh', ['-c', script, 'meterflow-watch', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref(): void }).unref();
  const exit = once(shell, 'exit');
  return {
    of: (pid) => {
      shell.stdin.write(`${pid ?? ''}\n`);
    },
    end: async () => {
      shell.ref();
      shell.stdin.end('ended\n');
      await exit;
    },
  };
}
