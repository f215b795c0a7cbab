import { join, resolve } from 'node:path';

/** The manifests of this repository. */
export const k8sFolder = join(resolve(import.meta.dirname, '../../..'), 'k8s');
