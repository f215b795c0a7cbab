/** A series with its tenant. */
export interface NamedSeries {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
}
