import type { SeriesName } from '@meterflow/readings';

/** A series within its tenant, as registry entries name it: meters and channels may contain slashes. */
export function seriesPath(meter: string, channel: string): string {
  return `${encodeURIComponent(meter)}/${encodeURIComponent(channel)}`;
}

/** The series that {@link seriesPath} named. */
export function seriesOfPath(path: string): SeriesName {
  const [meter = '', channel = ''] = path.split('/');
  return { meter: decodeURIComponent(meter), channel: decodeURIComponent(channel) };
}
