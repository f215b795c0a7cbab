import { lastLineOf, type ReadingBatch } from '@meterflow/readings';
import type { Span, Telemetry } from '@meterflow/stage';

/** The trace of a batch begins where it is read: in which lines of which source. It ends when the batch is on the bus. */
export function batchSpan(telemetry: Telemetry, batch: ReadingBatch, label: string): Span {
  return telemetry.startSpan('ingest', {
    attributes: {
      tenant: batch.tenant,
      source: batch.sourceId,
      label,
      firstLine: batch.firstLine,
      lastLine: lastLineOf(batch),
      readings: batch.columns.values.length,
    },
  });
}
