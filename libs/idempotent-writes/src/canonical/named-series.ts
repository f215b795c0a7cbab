/** A series with its tenant. */
export interface NamedSeries {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
}

/** The order of the canonical export; names hold no characters whose order differs between UTF-8 and UTF-16. */
export function compareSeries(a: NamedSeries, b: NamedSeries): number {
  return compareText(a.tenant, b.tenant) || compareText(a.meter, b.meter) || compareText(a.channel, b.channel);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
