import type { CustomObjectsApi } from '@kubernetes/client-node';
import { milliValue } from '@meterflow/scaling';
import { z } from 'zod';
import type { BacklogMetrics } from './backlog-metrics.ts';

export interface ExternalMetricsOptions {
  readonly api: Pick<CustomObjectsApi, 'listNamespacedCustomObject'>;
  readonly namespace: string;
  /** How much later than the fact a value is seen, at the most. */
  readonly lagMs: number;
}

const answer = z.object({
  items: z
    .array(z.object({ timestamp: z.iso.datetime({ offset: true }), value: z.union([z.string(), z.number()]) }))
    .min(1)
    .max(1_000),
});
const metricPattern = /^([^{}]+)(?:\{([^{}]*)\})?$/;
const milliPerUnit = 1_000;

interface MetricValue {
  readonly value: number;
  readonly atMs: number;
}

/**
 * Metrics of the cluster's external-metrics API, which autoscalers ask too: a query is `name` or `name{label=value,…}`,
 * and what several series say is added up.
 */
export function externalMetrics({ api, namespace, lagMs }: ExternalMetricsOptions): BacklogMetrics {
  const ask = async (query: string): Promise<MetricValue> => {
    const [, name = '', labelSelector = ''] = metricPattern.exec(query) ?? [];
    const answered: unknown = await api.listNamespacedCustomObject({
      group: 'external.metrics.k8s.io',
      version: 'v1beta1',
      namespace,
      plural: name,
      ...(labelSelector !== '' && { labelSelector }),
    });
    const { items } = answer.parse(answered);
    return {
      value: items.reduce((sum, { value }) => sum + milliValue(value), 0) / milliPerUnit,
      atMs: Math.min(...items.map(({ timestamp }) => Date.parse(timestamp))),
    };
  };
  return {
    read: async ({ backlog, acked }) => {
      const [measured, ackedSince] = await Promise.all([ask(backlog), ask(acked)]);
      return { messages: measured.value, takenAtMs: measured.atMs - lagMs, ackedMessages: ackedSince.value };
    },
  };
}
