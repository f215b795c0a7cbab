import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The processes of an embedded server, in the order in which they start; they stop in the same order, sources first. */
export const serviceNames = ['ingest', 'rule-execution', 'persistence', 'aggregation', 'control'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The module of a service's process: its source beside ours, or its bundle beside our bundle. */
export function serviceEntry(name: ServiceName): string {
  const source = fileURLToPath(new URL(`../../../${name}/src/main.ts`, import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL(`../${name}/main.js`, import.meta.url));
}
