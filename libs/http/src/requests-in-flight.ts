import type { Telemetry } from '@meterflow/stage';

/** Of each process's telemetry: its servers count together, as one pod is what an autoscaler sees. */
const byTelemetry = new WeakMap<Telemetry, Map<string, number>>();

/** Tells how many requests of a route are in work. The one that begins now ends when the returned function is called, once. */
export function requestBegins(telemetry: Telemetry, route: string): () => void {
  const counts = byTelemetry.get(telemetry) ?? new Map<string, number>();
  byTelemetry.set(telemetry, counts);
  const change = (by: number): void => {
    const count = (counts.get(route) ?? 0) + by;
    counts.set(route, count);
    telemetry.gauge('http_requests_in_flight', count, { route });
  };
  change(1);
  return () => {
    change(-1);
  };
}
