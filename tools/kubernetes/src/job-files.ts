import { written, type ManifestFiles } from './lane-files.ts';
import { jobsLane, scaledStages, scalingTarget, subscriptionsOf, type ScaledStage } from './scaled-stages.ts';

/** Sampling, 60 s, and the lag of Cloud Monitoring, 180 s at the most. */
const metricLagSeconds = 240;
const folder = 'components/queue-jobs/workers';
const alternative = 'components/queue-jobs/keda';

/** The stages of one lane as workers of Jobs: their templates, whom the job scaler watches, and KEDA in its place. */
export function jobFiles(lanes: readonly string[]): ManifestFiles {
  const workers = lanes.includes(jobsLane)
    ? scaledStages.map((stage) => ({ stage, name: `${stage.service}-${jobsLane}` }))
    : [];
  return {
    [`${folder}/kustomization.yaml`]: kustomization(workers.map(({ name }) => name)),
    ...Object.fromEntries(workers.map(({ name }) => [`${folder}/${name}.yaml`, template(name)])),
    [`${folder}/job-scaler.json`]: `${JSON.stringify(scalerConfig(workers), undefined, 2)}\n`,
    [`${alternative}/kustomization.yaml`]: alternativeKustomization(workers.map(({ name }) => name)),
    ...Object.fromEntries(
      workers.map(({ stage, name }) => [`${alternative}/${name}.yaml`, scaledJob(stage, name)] as const),
    ),
  };
}

type Workers = readonly { readonly stage: ScaledStage; readonly name: string }[];

/** Never starts anything itself: the pod is that of the stage's Deployment, put here by the kustomization. */
function template(name: string): string {
  return `${written}apiVersion: batch/v1
kind: CronJob
metadata:
  name: ${name}
  labels:
    meterflow/worker: ${name}
spec:
  suspend: true
  schedule: '0 0 1 1 *'
  jobTemplate:
    metadata:
      labels:
        meterflow/worker: ${name}
    spec:
      parallelism: 1
      completions: 1
      backoffLimit: 6
      # A node that goes away is nobody's failure.
      podFailurePolicy:
        rules:
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
                status: 'True'
      template: {}
`;
}

function kustomization(names: readonly string[]): string {
  return `${written}apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
${names.map((name) => `  - ${name}.yaml\n`).join('')}configMapGenerator:
  - name: job-scaler
    files:
      - job-scaler.json
replacements:
${names.map((name) => podOf(name, { kind: 'CronJob', fieldPath: 'spec.jobTemplate.spec.template' })).join('')}`;
}

function alternativeKustomization(names: readonly string[]): string {
  return `${written}apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
${names.map((name) => `  - ${name}.yaml\n`).join('')}replacements:
${names.map((name) => podOf(name, { kind: 'ScaledJob', fieldPath: 'spec.jobTargetRef.template' })).join('')}`;
}

function podOf(name: string, { kind, fieldPath }: { readonly kind: string; readonly fieldPath: string }): string {
  return `  - source:
      kind: Deployment
      name: ${name}
      fieldPath: spec.template
    targets:
      - select:
          kind: ${kind}
          name: ${name}
        fieldPaths: [${fieldPath}]
        options:
          create: true
  # kustomize finds the name that a suffix gave it where the copy was made, not in the copy.
  - source:
      kind: ServiceAccount
      name: ${name}
      fieldPath: metadata.name
    targets:
      - select:
          kind: ${kind}
          name: ${name}
        fieldPaths: [${fieldPath}.spec.serviceAccountName]
`;
}

function scalerConfig(workers: Workers): unknown {
  const { jobMessages, replicasMax } = scalingTarget(jobsLane);
  return {
    namespace: 'meterflow',
    metrics: { kind: 'prometheus', url: 'http://prometheus.monitoring.svc:9090' },
    metricLagSeconds,
    workers: workers.map(({ stage, name }) => ({
      name,
      backlog: backlogQuery(stage),
      acked: ackedQuery(name),
      targetMessages: jobMessages,
      jobsMax: replicasMax,
    })),
  };
}

function backlogQuery(stage: ScaledStage): string {
  return `sum(meterflow_backlog_messages{subscription_id=~"${subscriptionsOf(stage, jobsLane).join('|')}"})`;
}

/** What each worker settled until now, those that are gone included, less what each had when the window began. */
function ackedQuery(name: string): string {
  const settled = `stage_messages_settled_total{pod=~"${name}-.*"}`;
  return `(sum(max_over_time(${settled}[$window])) or vector(0)) - (sum(${settled} offset $window) or vector(0))`;
}

function scaledJob(stage: ScaledStage, name: string): string {
  const { jobMessages, replicasMax, measuredBy } = scalingTarget(jobsLane);
  return `${written}# Numbers: ${measuredBy}
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata:
  name: ${name}
  labels:
    meterflow/worker: ${name}
spec:
  pollingInterval: 30
  maxReplicaCount: ${replicasMax}
  successfulJobsHistoryLimit: 10
  failedJobsHistoryLimit: 10
  # Never ends Jobs that run: a change is for those that come.
  rollout:
    strategy: gradual
  # What the backlog still counts is taken by those that run, as far as KEDA can tell.
  scalingStrategy:
    strategy: default
  jobTargetRef:
    parallelism: 1
    completions: 1
    backoffLimit: 6
    ttlSecondsAfterFinished: 600
    template: {}
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus.monitoring.svc:9090
        query: '${backlogQuery(stage)}'
        threshold: '${jobMessages}'
        ignoreNullValues: 'false'
`;
}
