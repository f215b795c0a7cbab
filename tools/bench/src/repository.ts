import { join, resolve } from 'node:path';

export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** Real readings that are shared between checkouts; not part of the repository. */
export const sharedFolder = resolve(repositoryRoot, process.env['METERFLOW_SHARED'] ?? '../shared');
export const swissReadings = join(sharedFolder, 'data/swiss-households/readings.csv.gz');
