import { join, resolve } from 'node:path';

export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** What is shared between checkouts, and not part of the repository. */
export const sharedFolder = resolve(repositoryRoot, process.env['METERFLOW_SHARED'] ?? '../shared');
/** Cases of others. */
export const fixtures = join(sharedFolder, 'fixtures');
