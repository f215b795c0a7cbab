import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { k8sFolder } from './k8s-folder.ts';
import { render, type KubernetesObject } from './render.ts';

export const overlays = ['local', 'staging', 'production'] as const;

/** Exactly one of them: two would pull at the same pods. */
export const waysToScale = [
  'autoscaling-gke',
  'autoscaling-keda',
  'autoscaling-prometheus',
  'fixed-replicas-vpa',
] as const;

/** Any of them. */
export const additions = ['warehouse', 'priority', 'telemetry', 'redis', 'google-emulators'] as const;

/** Every allowed combination of components: a way to scale, and some of the others. */
export function combinations(): readonly (readonly string[])[] {
  const subsets = additions.reduce<readonly (readonly string[])[]>(
    (smaller, addition) => [...smaller, ...smaller.map((subset) => [...subset, addition])],
    [[]],
  );
  return waysToScale.flatMap((way) => subsets.map((subset) => [way, ...subset]));
}

/** What the base makes with these components, with images as an overlay would name them. */
export function renderCombination(components: readonly string[]): readonly KubernetesObject[] {
  const folder = mkdtempSync(join(tmpdir(), 'combination-'));
  try {
    const path = (name: string): string => relative(folder, join(k8sFolder, name));
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: [path('base')],
        components: components.map((name) => path(`components/${name}`)),
        images: services.map((name) => ({ name: `meterflow/${name}`, newTag: '0.1.0' })),
      }),
    );
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const services = ['ingest', 'control', 'rule-execution', 'sandbox', 'aggregation', 'persistence'] as const;
