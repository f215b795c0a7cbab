import type { Pod } from './local-overlay.ts';

/** What a pod tells at `/metrics`, summed over the samples of a metric that have all these labels. */
export async function podMetric(pod: Pod, name: string, ...labels: readonly string[]): Promise<number> {
  const answer = await fetch(`http://${pod.status.podIP ?? ''}:9464/metrics`);
  const lines = (await answer.text()).split('\n');
  return lines
    .filter(
      (line) =>
        (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && labels.every((label) => line.includes(label)),
    )
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
