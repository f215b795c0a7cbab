import { join, resolve } from 'node:path';

export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** Cases of others that are shared between checkouts; not part of the repository. */
export const fixtures = join(resolve(repositoryRoot, process.env['METERFLOW_SHARED'] ?? '../shared'), 'fixtures');
