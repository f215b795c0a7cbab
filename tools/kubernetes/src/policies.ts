import type { KubernetesObject } from './render.ts';

/** What of a pod the rules read. */
interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type?: string } };
  readonly restartPolicy?: string;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly image: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly securityContext?: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
}

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: PodTemplate;
  };
}

interface PodMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface PodTemplate {
  readonly metadata: PodMetadata;
  readonly spec: PodSpec;
}

/** What breaks a rule of ours, each in words; empty when all hold. */
export function policyProblems(objects: readonly KubernetesObject[]): readonly string[] {
  return objects.flatMap((object) =>
    [
      ...namespaceProblems(object),
      ...podTemplates(object).flatMap(templateProblems),
      ...(isDeployment(object) ? [...scalingProblems(object, objects), ...budgetProblems(object, objects)] : []),
      ...(isJobTemplate(object) ? workerProblems(podTemplates(object)) : []),
    ].map((problem) => `${object.metadata.name}: ${problem}`),
  );
}

const ofNoNamespace: ReadonlySet<string> = new Set([
  'Namespace',
  'PriorityClass',
  'ClusterRole',
  'ClusterRoleBinding',
  'RuntimeClass',
]);

function namespaceProblems({ kind, metadata }: KubernetesObject): readonly string[] {
  return broken({ [`${kind} in no namespace`]: !ofNoNamespace.has(kind) && metadata.namespace === undefined });
}

/** Of whatever makes pods. */
export function podTemplates({ kind, spec }: KubernetesObject): readonly PodTemplate[] {
  const made = spec as {
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
    readonly jobTargetRef?: { readonly template: PodTemplate };
  };
  const paths: Readonly<Record<string, () => PodTemplate | undefined>> = {
    Deployment: () => made.template,
    Job: () => made.template,
    CronJob: () => made.jobTemplate?.spec.template,
    ScaledJob: () => made.jobTargetRef?.template,
  };
  const template = paths[kind]?.();
  return template === undefined ? [] : [template];
}

function isJobTemplate({ kind }: KubernetesObject): boolean {
  return kind === 'CronJob' || kind === 'ScaledJob';
}

function templateProblems({ metadata, spec }: PodTemplate): readonly string[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return [...podProblems(spec, metadata.annotations ?? {}), ...containers.flatMap(containerProblems)];
}

/** A worker ends itself, and nobody else ends it: not the saving of a node, nor a container beside it that runs on. */
function workerProblems(templates: readonly PodTemplate[]): readonly string[] {
  return templates.flatMap(({ metadata, spec }) =>
    broken({
      'may be evicted while it works':
        metadata.annotations?.['cluster-autoscaler.kubernetes.io/safe-to-evict'] !== 'false',
      'never ends itself': spec.containers[0]?.args?.includes('--exit-when-idle') !== true,
      'waits for a container that does not end': spec.containers.length !== 1,
      'starts again in the same pod': spec.restartPolicy !== 'Never',
    }),
  );
}

function isDeployment(object: KubernetesObject): object is Deployment {
  return object.kind === 'Deployment';
}

/** Says why a pod has a token of the Kubernetes API. */
const kubernetesApi = 'meterflow/kubernetes-api';
/** Says why a pod has nothing to drain. */
const noDrain = 'meterflow/no-drain';
/** METERFLOW_DRAIN_MS of k8s/base/configuration. */
const drainSeconds = 20;
const graceSecondsDefault = 30;

function podProblems(pod: PodSpec, annotations: Readonly<Record<string, string>>): readonly string[] {
  const { securityContext, automountServiceAccountToken, containers } = pod;
  const preStopSeconds = Math.max(...containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
  const graceSeconds = pod.terminationGracePeriodSeconds ?? graceSecondsDefault;
  return broken({
    'is killed before its drain may end': !(noDrain in annotations) && graceSeconds <= preStopSeconds + drainSeconds,
    'may run as root': securityContext?.runAsNonRoot !== true,
    'has no seccomp profile': securityContext?.seccompProfile?.type !== 'RuntimeDefault',
    'has a token of the Kubernetes API, and no reason':
      automountServiceAccountToken !== false && !(kubernetesApi in annotations),
  });
}

function containerProblems({ name, image, resources, securityContext }: Container): readonly string[] {
  return broken({
    [`${name}: no version in the image ${image}`]: !/:(?!latest$)[^/]+$/.test(image),
    [`${name}: no limit of memory`]: resources?.limits?.['memory'] === undefined,
    [`${name}: no request of CPU or memory`]:
      resources?.requests?.['cpu'] === undefined || resources.requests['memory'] === undefined,
    [`${name}: a root file system that can be written`]: securityContext?.readOnlyRootFilesystem !== true,
    [`${name}: may get more privileges`]: securityContext?.allowPrivilegeEscalation !== false,
    [`${name}: keeps capabilities`]: securityContext?.capabilities?.drop?.includes('ALL') !== true,
  });
}

function broken(rules: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(rules).flatMap(([problem, holds]) => (holds ? [problem] : []));
}

/** Scaled on backlog and age of each of its subscriptions, or fixed with a reason; never both. */
function scalingProblems(deployment: Deployment, objects: readonly KubernetesObject[]): readonly string[] {
  const { name, annotations } = deployment.metadata;
  const scaler = objects.find(
    ({ kind, spec }) =>
      (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject') &&
      (spec as { scaleTargetRef: { name: string } }).scaleTargetRef.name === name,
  );
  if (annotations?.['meterflow/sized-by'] !== undefined) {
    return broken({ 'sized by another, and fixed replicas': deployment.spec.replicas !== undefined });
  }
  const isFixed = annotations?.['meterflow/fixed-replicas'] !== undefined;
  if (scaler === undefined) {
    return broken({
      'neither an autoscaler nor a reason for none': !isFixed,
      'fixed replicas without their number': deployment.spec.replicas === undefined,
    });
  }
  const text = JSON.stringify(scaler.spec);
  return broken({
    'an autoscaler, and fixed replicas': isFixed || deployment.spec.replicas !== undefined,
    'an autoscaler that does not see backlog and age':
      scaler.metadata.annotations?.['meterflow/no-backlog'] === undefined &&
      !(/backlog_messages|undelivered_messages/.test(text) && text.includes('age')),
  });
}

function budgetProblems({ spec }: Deployment, objects: readonly KubernetesObject[]): readonly string[] {
  const { labels } = spec.template.metadata;
  const budgets = objects.filter(({ kind, spec: budget }) => {
    const wanted = (budget as { selector?: { matchLabels?: Record<string, string> } } | undefined)?.selector
      ?.matchLabels;
    return (
      kind === 'PodDisruptionBudget' && Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value)
    );
  });
  return broken({ [`${budgets.length} disruption budgets, not one`]: budgets.length !== 1 });
}
