import type { Cause, SeriesName, StoredNotice, Touched } from '@meterflow/readings';

export interface TouchedSpan {
  readonly meter: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export function touchedSpans(spans: readonly TouchedSpan[]): Touched {
  const series: SeriesName[] = spans.map(({ meter }) => ({ meter, channel: 'import' }));
  return {
    series,
    index: Uint32Array.from(spans.keys()),
    fromMs: Float64Array.from(spans, ({ fromMs }) => fromMs),
    toMs: Float64Array.from(spans, ({ toMs }) => toMs),
  };
}

/** A key of 32 hexadecimal characters that names `number`. */
export function keyOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

export function causeOf(number: number): Cause {
  return { sourceId: 'source', key: keyOf(number), part: 0, parts: 1 };
}

/** The notice of validated batch `number`. */
export function notice(number: number, spans: readonly TouchedSpan[], more: Partial<StoredNotice> = {}): StoredNotice {
  return {
    tenant: 'default',
    layer: 'validated',
    activation: 1,
    key: keyOf(number),
    causes: [causeOf(number)],
    touched: touchedSpans(spans),
    ...more,
  };
}
