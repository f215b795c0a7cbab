import { formatDecimal } from './decimal.ts';
import type { SeriesName } from './identifiers.ts';
import type { Layer } from './layer.ts';
import { missingCode, qualityOf, type Quality } from './quality.ts';
import type { ReadingCursor } from './reading-cursor.ts';

/** A reading as the canonical export has it: no acceptance times, activations, tickets or receipts. */
export interface CanonicalReading {
  readonly kind: 'reading';
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly layer: Layer;
  readonly start: string;
  /** Equal to `start` for a register reading. */
  readonly end: string;
  /** Null where the reading is absent. */
  readonly value: string | null;
  readonly unit: string;
  readonly quality: Quality;
  readonly reason?: string;
  /** Absent where the provider declared none. */
  readonly version?: number;
}

export function canonicalReading(
  tenant: string,
  series: SeriesName & { readonly layer: Layer },
  cursor: ReadingCursor,
): CanonicalReading {
  const { columns, qualityCode, reason } = cursor;
  const declared = columns.versions.declared[cursor.versionIndex] as number;
  return {
    kind: 'reading',
    tenant,
    meter: series.meter,
    channel: series.channel,
    layer: series.layer,
    start: utcText(cursor.startMs),
    end: utcText(cursor.startMs + cursor.lengthMs),
    value: qualityCode === missingCode ? null : formatDecimal(cursor.integer, columns.decimals),
    unit: cursor.unit,
    quality: qualityOf(qualityCode),
    ...(reason === '' ? {} : { reason }),
    ...(declared === 0 ? {} : { version: declared }),
  };
}

/** An instant as text, without a fraction where there is none: 2012-10-28T23:00:00Z. */
export function utcText(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}
