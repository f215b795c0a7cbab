import { ApiException, V1Job, V1ObjectMeta, type BatchV1Api, type V1CronJob } from '@kubernetes/client-node';
import type { WorkerCluster, WorkerJobs } from './worker-jobs.ts';

export interface KubernetesWorkersOptions {
  readonly api: BatchV1Api;
  readonly namespace: string;
  /** A finished Job is kept for so long at least: when it ended is told by nothing else. */
  readonly finishedKeptSeconds: number;
}

/** Which stage's worker a Job is. */
const workerLabel = 'meterflow/worker';
const pageMax = 500;
const pagesMax = 20;
const conflict = 409;

/**
 * Workers as Jobs, made after the template of a suspended CronJob of the stage's name: a manifest like any other, which
 * never starts anything itself. Jobs have no owner, so that nobody but themselves ends them, also when that one is gone.
 */
export function kubernetesWorkers({ api, namespace, finishedKeptSeconds }: KubernetesWorkersOptions): WorkerCluster {
  return {
    jobs: async (worker) => {
      const jobs: V1Job[] = [];
      let page: string | undefined;
      for (let pages = 0; pages < pagesMax && (pages === 0 || page !== undefined); pages += 1) {
        const list = await api.listNamespacedJob({
          namespace,
          labelSelector: `${workerLabel}=${worker}`,
          limit: pageMax,
          ...(page !== undefined && { _continue: page }),
        });
        jobs.push(...list.items);
        page = list.metadata?._continue === '' ? undefined : list.metadata?._continue;
      }
      return stateOf(jobs);
    },
    start: async (worker, name) => {
      const template = await api.readNamespacedCronJob({ namespace, name: worker });
      try {
        await api.createNamespacedJob({ namespace, body: jobOf(template, { worker, name, finishedKeptSeconds }) });
      } catch (error) {
        if (!(error instanceof ApiException && error.code === conflict)) {
          throw error;
        }
      }
    },
  };
}

function stateOf(jobs: readonly V1Job[]): WorkerJobs {
  const has = (job: V1Job, type: string): boolean =>
    job.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
  const ended = jobs
    .filter((job) => has(job, 'Complete'))
    .map(({ status }) => status?.completionTime?.getTime())
    .filter((atMs) => atMs !== undefined);
  return {
    running: jobs.filter((job) => !has(job, 'Complete') && !has(job, 'Failed')).length,
    lastIdleAtMs: ended.length === 0 ? undefined : Math.max(...ended),
  };
}

interface JobOptions {
  readonly worker: string;
  readonly name: string;
  readonly finishedKeptSeconds: number;
}

function jobOf({ spec: cronJob }: V1CronJob, { worker, name, finishedKeptSeconds }: JobOptions): V1Job {
  if (cronJob.suspend !== true || cronJob.jobTemplate.spec === undefined) {
    throw new Error(`The CronJob ${worker} is to be suspended: it is a template, and starts nothing itself.`);
  }
  const { metadata = new V1ObjectMeta(), spec } = cronJob.jobTemplate;
  metadata.name = name;
  metadata.labels = { ...metadata.labels, [workerLabel]: worker };
  spec.ttlSecondsAfterFinished = Math.max(spec.ttlSecondsAfterFinished ?? 0, finishedKeptSeconds);
  const job = new V1Job();
  job.metadata = metadata;
  job.spec = spec;
  return job;
}
