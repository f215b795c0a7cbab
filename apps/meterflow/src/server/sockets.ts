import { join } from 'node:path';
import type { DataDirectory } from '@meterflow/embedded';

/** Where a service answers: with credentials (the gateway passes requests on), or for whoever owns the data directory. */
export function publicSocket(directory: DataDirectory, service: 'ingest' | 'control'): string {
  return join(directory.run, `${service}.public.sock`);
}

export function localSocket(directory: DataDirectory, service: 'ingest' | 'control'): string {
  return join(directory.run, `${service}.local.sock`);
}
