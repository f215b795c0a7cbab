import { execFile } from 'node:child_process';

const outputBytesMax = 64 * 1024 * 1024;

/** Runs kubectl on the cluster that KUBECONFIG names; resolves with what it says, rejects with its own words. */
export function kubectl(
  args: readonly string[],
  { input, timeoutMs = 300_000 }: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { encoding: 'utf8', timeout: timeoutMs, maxBuffer: outputBytesMax } as const;
    const child = execFile('kubectl', [...args], options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(new Error(`kubectl ${args.join(' ')}: ${stderr === '' ? error.message : stderr}`));
      }
    });
    child.stdin?.end(input);
  });
}

/** What it says as JSON. */
export async function kubectlJson<Answer>(...args: readonly string[]): Promise<Answer> {
  return JSON.parse(await kubectl([...args, '-o', 'json'])) as Answer;
}
