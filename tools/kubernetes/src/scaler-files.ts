import { kustomization, written, type ManifestFiles } from './lane-files.ts';
import { recordingRules } from './recording-rules.ts';
import { scaledStages, scalingTarget, subscriptionsOf, type ScaledStage, type ScalingTarget } from './scaled-stages.ts';

/** How a way of scaling names a subscription's two metrics. */
interface MetricNames {
  readonly backlog: string;
  readonly age: string;
  /** The label that holds the subscription. */
  readonly label: string;
}

/** Through Google's adapter of custom metrics, as Cloud Monitoring names them. */
const gke: MetricNames = {
  backlog: 'pubsub.googleapis.com|subscription|num_undelivered_messages',
  age: 'pubsub.googleapis.com|subscription|oldest_unacked_message_age',
  label: 'resource.labels.subscription_id',
};

/** As recording rules make them: without a value while the stage is held back. */
const prometheus: MetricNames = {
  backlog: 'meterflow_scaling_backlog_messages',
  age: 'meterflow_scaling_backlog_age_seconds',
  label: 'subscription_id',
};

/** One autoscaler for each stage of each lane, in each of the ways to have one. */
export function scalerFiles(lanes: readonly string[]): ManifestFiles {
  const each = (folder: string, text: (stage: ScaledStage, lane: string) => string): ManifestFiles => {
    const files = lanes.flatMap((lane) =>
      scaledStages.map((stage) => [`${stage.service}-${lane}.yaml`, text(stage, lane)] as const),
    );
    return {
      [`components/${folder}/scalers/kustomization.yaml`]: kustomization(
        'Component',
        files.map(([name]) => name),
      ),
      ...Object.fromEntries(files.map(([name, yaml]) => [`components/${folder}/scalers/${name}`, yaml])),
    };
  };
  return {
    ...each('autoscaling-gke', (stage, lane) => autoscaler(stage, lane, gke)),
    ...each('autoscaling-prometheus', (stage, lane) => autoscaler(stage, lane, prometheus)),
    ...each('autoscaling-keda', scaledObject),
    'components/autoscaling-prometheus/recording-rules.yaml': recordingRules(lanes),
  };
}

function autoscaler(stage: ScaledStage, lane: string, names: MetricNames): string {
  const target = scalingTarget(lane);
  return `${written}# Numbers: ${target.measuredBy}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ${stage.service}-${lane}
  labels:
    app.kubernetes.io/name: ${stage.service}
    meterflow/lane: ${lane}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ${stage.service}-${lane}
  minReplicas: ${target.replicasMin}
  maxReplicas: ${target.replicasMax}
  # AverageValue for both: Value on an age would go to the most pods, since the age falls only when the backlog is gone.
  metrics:
${subscriptionsOf(stage, lane)
  .flatMap((subscription) => [
    metric(names.backlog, { [names.label]: subscription }, target.backlogMessages),
    metric(names.age, { [names.label]: subscription }, target.ageSeconds),
  ])
  .join('')}  behavior:
${indented(behaviour(target), 4)}`;
}

function metric(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  return `    - type: External
      external:
        metric:
          name: ${name}
          selector:
            matchLabels:
${Object.entries(labels)
  .map(([label, wanted]) => `              ${label}: ${wanted}\n`)
  .join('')}        target:
          type: AverageValue
          averageValue: '${value}'
`;
}

/** Up: at most double, or four pods, in a step. Down: behind the window, a pod at a time. */
function behaviour({ downWindowSeconds }: ScalingTarget): string {
  return `scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - type: Percent
      value: 100
      periodSeconds: 60
    - type: Pods
      value: 4
      periodSeconds: 60
scaleDown:
  # Longer than sampling (60 s) + the metric's lag (180 s) + a drain (30 s).
  stabilizationWindowSeconds: ${downWindowSeconds}
  policies:
    - type: Pods
      value: 1
      periodSeconds: 60
`;
}

function scaledObject(stage: ScaledStage, lane: string): string {
  const target = scalingTarget(lane);
  const triggers = subscriptionsOf(stage, lane).flatMap((subscription) => [
    trigger(`max(${prometheus.backlog}{subscription_id="${subscription}"})`, target.backlogMessages),
    trigger(`max(${prometheus.age}{subscription_id="${subscription}"})`, target.ageSeconds),
  ]);
  return `${written}# Numbers: ${target.measuredBy}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: ${stage.service}-${lane}
  labels:
    app.kubernetes.io/name: ${stage.service}
    meterflow/lane: ${lane}
spec:
  scaleTargetRef:
    name: ${stage.service}-${lane}
  pollingInterval: 30
  minReplicaCount: ${target.replicasMin}
  maxReplicaCount: ${target.replicasMax}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
${indented(behaviour(target), 8)}  triggers:
${triggers.join('')}`;
}

function trigger(query: string, threshold: number): string {
  return `    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: http://prometheus.monitoring.svc:9090
        query: '${query}'
        threshold: '${threshold}'
        # No answer is a failure, on which nothing is taken away; not a backlog of 0.
        ignoreNullValues: 'false'
`;
}

function indented(text: string, spaces: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(spaces));
}
