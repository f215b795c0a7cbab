import { execFileSync, spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

/** An object of the Kubernetes API as a manifest has it: what the rules read of it, and the rest. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

const renderedBytesMax = 32 * 1024 * 1024;

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** What a kustomization makes. Throws with kustomize's own words where it makes nothing. */
export function render(folder: string): readonly KubernetesObject[] {
  const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', maxBuffer: renderedBytesMax });
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw error;
    }
    return document.toJS() as KubernetesObject;
  });
}
