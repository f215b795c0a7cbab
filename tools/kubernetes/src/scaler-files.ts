import { subscriptionName } from '@meterflow/contracts';
import { kustomization, written, type ManifestFiles } from './lane-files.ts';
import { recordingRules } from './recording-rules.ts';
import {
  ingestStage,
  requestsInFlight,
  requestsInFlightMeasuredBy,
  scaledStages,
  scalingTarget,
  subscriptionsOf,
  type ScaledStage,
  type ScalingTarget,
} from './scaled-stages.ts';

/** How a way of scaling names a subscription's two metrics, and the requests that ingest has in work. */
interface MetricNames {
  readonly backlog: string;
  readonly age: string;
  readonly inFlight: string;
  /** The label that holds the subscription. */
  readonly label: string;
}

/** Through Google's adapter of custom metrics, as Cloud Monitoring names them. */
const gke: MetricNames = {
  backlog: 'pubsub.googleapis.com|subscription|num_undelivered_messages',
  age: 'pubsub.googleapis.com|subscription|oldest_unacked_message_age',
  inFlight: 'prometheus.googleapis.com|meterflow_scaling_requests_in_flight|gauge',
  label: 'resource.labels.subscription_id',
};

/** As recording rules make them: without a value while the stage is held back. */
const prometheus: MetricNames = {
  backlog: 'meterflow_scaling_backlog_messages',
  age: 'meterflow_scaling_backlog_age_seconds',
  inFlight: 'meterflow_scaling_requests_in_flight',
  label: 'subscription_id',
};

/** One autoscaler for each stage of each lane, in each of the ways to have one. */
export function scalerFiles(lanes: readonly string[]): ManifestFiles {
  const each = (folder: string, text: (stage: ScaledStage, lane: string) => string, ingest: Ingest): ManifestFiles => {
    const files = lanes.flatMap((lane) =>
      scaledStages.map((stage) => [`${stage.service}-${lane}.yaml`, text(stage, lane)] as const),
    );
    const resources = [...files.map(([name]) => name), ...(ingest.replaces ? ['ingest.yaml'] : [])];
    return {
      [`components/${folder}/scalers/kustomization.yaml`]: `${kustomization('Component', resources)}patches:
${ingest.replaces ? withoutAutoscaler : '  - path: ingest.yaml\n'}`,
      ...Object.fromEntries(
        [...files, ['ingest.yaml', ingest.text] as const].map(([name, yaml]) => [
          `components/${folder}/scalers/${name}`,
          yaml,
        ]),
      ),
    };
  };
  return {
    ...each('autoscaling-gke', (stage, lane) => autoscaler(stage, lane, gke), ingestMetrics(lanes, gke)),
    ...each(
      'autoscaling-prometheus',
      (stage, lane) => autoscaler(stage, lane, prometheus),
      ingestMetrics(lanes, prometheus),
    ),
    ...each('autoscaling-keda', scaledObject, ingestObject(lanes)),
    'components/autoscaling-prometheus/recording-rules.yaml': recordingRules(lanes),
  };
}

/** What a way of scaling does with ingest, whose autoscaler of the base knows its CPU alone. */
interface Ingest {
  readonly text: string;
  /** Instead of that autoscaler; else it is a patch of it. */
  readonly replaces: boolean;
}

const withoutAutoscaler = `  - patch: |-
      $patch: delete
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata:
        name: ingest
`;

/** Percent of the request: at 250m a pod has a quarter of a core, and pushes come in bursts each quarter of an hour. */
const cpuUtilization = 150;
const ingestReplicas = { min: 2, max: 10 };
/** Longer than from one quarter-hour push to the next: else each push finds the pods just gone. */
const ingestDownWindowSeconds = 1_200;

/** From which measurement the number comes. */
const inFlightComment = `# Requests in flight: ${requestsInFlightMeasuredBy}: with more than four at once a push of 100 readings only waits longer; with ${requestsInFlight}
# it takes 0.28 s, and 0.46 s at the 99th percentile. A pod refuses a tenant's 33rd (apps/ingest/src/limits.ts).
`;

function ingestMetrics(lanes: readonly string[], names: MetricNames): Ingest {
  const text = `${written}# What waits on the providers' topics: ${lanes.map((lane) => scalingTarget(lane).measuredBy).join('; ')}.
${inFlightComment}apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ingest
  annotations:
    meterflow/no-backlog: null
spec:
  metrics:
${lanes
  .flatMap((lane) => {
    const subscription = subscriptionName('ingest', lane);
    const target = scalingTarget(lane);
    return [
      metric(names.backlog, { [names.label]: subscription }, target.backlogMessages),
      metric(names.age, { [names.label]: subscription }, target.ageSeconds),
    ];
  })
  .join('')}${metric(names.inFlight, {}, requestsInFlight)}    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: ${cpuUtilization}
`;
  return { text, replaces: false };
}

function ingestObject(lanes: readonly string[]): Ingest {
  const triggers = [
    ...lanes.flatMap((lane) => backlogTriggers(ingestStage, lane)),
    trigger(`max(${prometheus.inFlight})`, requestsInFlight),
    `    - type: cpu
      metricType: Utilization
      metadata:
        value: '${cpuUtilization}'
`,
  ];
  const text = `${written}# What waits on the providers' topics: ${lanes.map((lane) => scalingTarget(lane).measuredBy).join('; ')}.
${inFlightComment}apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: ingest
  labels:
    app.kubernetes.io/name: ingest
spec:
  scaleTargetRef:
    name: ingest
  pollingInterval: 30
  minReplicaCount: ${ingestReplicas.min}
  maxReplicaCount: ${ingestReplicas.max}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
${indented(behaviour({ downWindowSeconds: ingestDownWindowSeconds }), 8)}  triggers:
${triggers.join('')}`;
  return { text, replaces: true };
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
${selector(labels)}        target:
          type: AverageValue
          averageValue: '${value}'
`;
}

function selector(labels: Readonly<Record<string, string>>): string {
  const lines = Object.entries(labels).map(([label, wanted]) => `              ${label}: ${wanted}\n`);
  return lines.length === 0
    ? ''
    : `          selector:
            matchLabels:
${lines.join('')}`;
}

/** Up: at most double, or four pods, in a step. Down: behind the window, a pod at a time. */
function behaviour({ downWindowSeconds }: Pick<ScalingTarget, 'downWindowSeconds'>): string {
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
${backlogTriggers(stage, lane).join('')}`;
}

function backlogTriggers(stage: ScaledStage, lane: string): readonly string[] {
  const target = scalingTarget(lane);
  return subscriptionsOf(stage, lane).flatMap((subscription) => [
    trigger(`max(${prometheus.backlog}{subscription_id="${subscription}"})`, target.backlogMessages),
    trigger(`max(${prometheus.age}{subscription_id="${subscription}"})`, target.ageSeconds),
  ]);
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
