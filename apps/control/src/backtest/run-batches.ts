import {
  constantRuns,
  readingsPerBatchMax,
  sliceBatch,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
} from '@meterflow/readings';

/** So many runs wait in the sandbox at once: enough that it never waits for us. */
const aheadMax = 8;

/** The outputs in the order of the inputs, a few of which are worked on at once. */
export async function inTurn<In, Out>(inputs: readonly In[], work: (input: In) => Promise<Out>): Promise<Out[]> {
  const outputs: Out[] = [];
  for (let from = 0; from < inputs.length; from += aheadMax) {
    outputs.push(...(await Promise.all(inputs.slice(from, from + aheadMax).map(work))));
  }
  return outputs;
}

/** Stored readings of a series as the flow gets them. */
export function batchesOf(tenant: string, series: SeriesName, columns: ReadingColumns): readonly ReadingBatch[] {
  const count = columns.values.length;
  const batch: ReadingBatch = {
    ...{ tenant, layer: 'raw', sourceId: 'backtest', acceptedAtMs: 0, activation: 0 },
    ...{ series: [series], columns, firstLine: 1, lineDeltas: constantRuns(0, count) },
  };
  if (count <= readingsPerBatchMax) {
    return [batch];
  }
  return Array.from({ length: Math.ceil(count / readingsPerBatchMax) }, (_, part) =>
    sliceBatch(batch, part * readingsPerBatchMax, Math.min(count, (part + 1) * readingsPerBatchMax)),
  );
}
