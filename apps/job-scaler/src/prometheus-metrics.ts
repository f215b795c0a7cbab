import { z } from 'zod';
import type { BacklogMetrics } from './backlog-metrics.ts';

export interface PrometheusOptions {
  /** Of the server, or of what speaks as one: `/api/v1/query` is put behind it. */
  readonly url: string;
  /** How much later than the fact a sample is seen, at the most. */
  readonly lagMs: number;
  readonly nowMs: () => number;
}

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })).length(1, 'is to be one number'),
  }),
});
const timeoutMs = 10_000;
const answerCharsMax = 100_000;
/** In a query: the time that the backlog's metric is late. */
const windowName = /\$window\b/g;
const msPerSecond = 1_000;

/** Metrics by PromQL, each query answering one number. `$window` in one stands for the metric's lag, as `180s`. */
export function prometheusMetrics({ url, lagMs, nowMs }: PrometheusOptions): BacklogMetrics {
  const window = `${Math.max(1, Math.ceil(lagMs / msPerSecond))}s`;
  const ask = async (query: string): Promise<number> => {
    const body = new URLSearchParams({ query: query.replaceAll(windowName, window) });
    const response = await fetch(`${url}/api/v1/query`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = (await response.text()).slice(0, answerCharsMax);
    if (!response.ok) {
      throw new Error(`Prometheus answered ${response.status} to ${query}: ${text.slice(0, 200)}`);
    }
    const parsed = answer.safeParse(JSON.parse(text));
    const value = Number(parsed.data?.data.result[0]?.value[1]);
    if (!Number.isFinite(value)) {
      throw new Error(
        `Prometheus has no number for ${query}${parsed.error ? `: ${z.prettifyError(parsed.error)}` : ''}`,
      );
    }
    return Math.max(0, value);
  };
  return {
    read: async ({ backlog, acked }) => {
      const takenAtMs = nowMs() - lagMs;
      const [messages, ackedMessages] = await Promise.all([ask(backlog), ask(acked)]);
      return { messages, takenAtMs, ackedMessages };
    },
  };
}
