import { written, type ManifestFiles } from './lane-files.ts';
import { scaledStages } from './scaled-stages.ts';

/** One component for each stage of each lane: its next version beside it, on the same subscriptions. */
export function rolloutFiles(lanes: readonly string[]): ManifestFiles {
  return Object.fromEntries(
    lanes.flatMap((lane) =>
      scaledStages.flatMap(({ service }) => {
        const folder = `components/rollout/${service}-${lane}`;
        return [
          [`${folder}/kustomization.yaml`, kustomization(service, lane)],
          [`${folder}/next/kustomization.yaml`, withPodOf(`${service}-${lane}`)],
          [`${folder}/next/deployment.yaml`, deployment(service, lane)],
        ];
      }),
    ),
  );
}

/** After the pod is there: what tells it from the one that it is a copy of. */
function kustomization(service: string, lane: string): string {
  const image = (container: number, name: string): string => `      - op: replace
        path: /spec/template/spec/containers/${container}/image
        value: meterflow/${name}-next
`;
  return `${written}apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
components:
  - next
patches:
  - target:
      kind: Deployment
      name: ${service}-${lane}-next
    patch: |-
      - op: add
        path: /spec/template/metadata/labels/meterflow~1track
        value: next
${image(0, service)}${service === 'rule-execution' ? image(1, 'sandbox') : ''}`;
}

function withPodOf(name: string): string {
  return `${written}apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - deployment.yaml
replacements:
  - source:
      kind: Deployment
      name: ${name}
      fieldPath: spec.template
    targets:
      - select:
          kind: Deployment
          name: ${name}-next
        fieldPaths: [spec.template]
        options:
          create: true
  # kustomize finds the name that a suffix gave it where the copy was made, not in the copy.
  - source:
      kind: ServiceAccount
      name: ${name}
      fieldPath: metadata.name
    targets:
      - select:
          kind: Deployment
          name: ${name}-next
        fieldPaths: [spec.template.spec.serviceAccountName]
`;
}

function deployment(service: string, lane: string): string {
  return `${written}apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${service}-${lane}-next
  labels:
    app.kubernetes.io/name: ${service}
    meterflow/lane: ${lane}
    meterflow/track: next
  annotations:
    meterflow/fixed-replicas: its share of the pods is its share of the messages
spec:
  replicas: 1
  revisionHistoryLimit: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: ${service}
      meterflow/lane: ${lane}
      meterflow/track: next
  template: {}
`;
}
