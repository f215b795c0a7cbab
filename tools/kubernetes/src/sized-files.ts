import { kustomization, written, type ManifestFiles } from './lane-files.ts';
import { scaledStages, scalingTarget } from './scaled-stages.ts';

/** The other way: a fixed number of pods for each stage of each lane, which the vertical autoscaler sizes. */
export function sizedFiles(lanes: readonly string[]): ManifestFiles {
  const pairs = lanes.flatMap((lane) => scaledStages.map(({ service }) => ({ lane, service })));
  const folder = 'components/fixed-replicas-vpa/scalers';
  const resources = pairs.map(({ lane, service }) => `${service}-${lane}.yaml`);
  return {
    [`${folder}/kustomization.yaml`]: `${kustomization('Component', resources)}patches:
${pairs.map(({ lane, service }) => fixedReplicas(`${service}-${lane}`, lane)).join('')}`,
    ...Object.fromEntries(
      pairs.map(({ lane, service }) => [`${folder}/${service}-${lane}.yaml`, verticalAutoscaler(service, lane)]),
    ),
  };
}

function fixedReplicas(name: string, lane: string): string {
  return `  - target:
      kind: Deployment
      name: ${name}
    patch: |-
      - op: add
        path: /spec/replicas
        value: ${scalingTarget(lane).replicasFixed}
      - op: add
        path: /metadata/annotations
        value:
          meterflow/fixed-replicas: the vertical autoscaler sizes its pods
`;
}

function verticalAutoscaler(service: string, lane: string): string {
  const { measuredBy } = scalingTarget(lane);
  return `${written}# Replicas: ${measuredBy}, model fixed
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata:
  name: ${service}-${lane}
  labels:
    app.kubernetes.io/name: ${service}
    meterflow/lane: ${lane}
spec:
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ${service}-${lane}
  updatePolicy:
    updateMode: Recreate
  resourcePolicy:
    containerPolicies:
      - containerName: ${service}
        minAllowed:
          cpu: 100m
          memory: 256Mi
        maxAllowed:
          cpu: '4'
          memory: 4Gi
${service === 'rule-execution' ? sandboxKept : ''}`;
}

/** Its limit follows from the sandbox's own, not from use. */
const sandboxKept = `      - containerName: sandbox
        mode: 'Off'
`;
