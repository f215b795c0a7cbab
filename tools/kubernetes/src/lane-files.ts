import { scaledStages, warehouseStage } from './scaled-stages.ts';

/** Below k8s/, by path. */
export type ManifestFiles = Readonly<Record<string, string>>;

export const written = '# Written by `npm run manifests`; change what it reads instead.\n';

/** The stages of each lane, and those of the warehouse apart, for the component that wants them. */
export function laneFiles(lanes: readonly string[]): ManifestFiles {
  return {
    'lanes/kustomization.yaml': kustomization('Kustomization', lanes),
    'components/warehouse/kustomization.yaml': kustomization(
      'Component',
      lanes.map((lane) => `../../lanes/${lane}-warehouse`),
    ),
    ...Object.fromEntries(
      lanes.flatMap((lane) => [
        [
          `lanes/${lane}/kustomization.yaml`,
          laneOf(
            lane,
            lane,
            scaledStages.map(({ service }) => service),
          ),
        ],
        [`lanes/${lane}-warehouse/kustomization.yaml`, laneOf(lane, lane, [warehouseStage.service])],
      ]),
    ),
  };
}

export function kustomization(kind: 'Kustomization' | 'Component', resources: readonly string[]): string {
  const version = kind === 'Component' ? 'v1alpha1' : 'v1beta1';
  return `${written}apiVersion: kustomize.config.k8s.io/${version}
kind: ${kind}
resources:
${resources.map((resource) => `  - ${resource}\n`).join('')}`;
}

/** What tells a lane's objects from another's: a suffix, a label, and the lane that the process is told. */
function laneOf(lane: string, suffix: string, services: readonly string[]): string {
  return `${kustomization(
    'Kustomization',
    services.map((service) => `../../base/${service}`),
  )}nameSuffix: -${suffix}
labels:
  - pairs:
      meterflow/lane: ${lane}
    includeSelectors: true
patches:
  - target:
      kind: Deployment
    patch: |-
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value:
          name: METERFLOW_LANES
          value: ${lane}
`;
}
