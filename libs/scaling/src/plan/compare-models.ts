import { DataflowLikeScaler } from '../scalers/dataflow-like-scaler.ts';
import { FixedScaler, VpaScaler } from '../scalers/fixed-scaler.ts';
import { JobsScaler } from '../scalers/jobs-scaler.ts';
import { HpaScaler } from '../scalers/hpa-scaler.ts';
import { KedaScaler } from '../scalers/keda-scaler.ts';
import type { Scaler } from '../scalers/scaler.ts';
import type { HpaSpec } from '../hpa/hpa-spec.ts';
import { recommend, type PlanRequest, type Recommendation } from './recommend.ts';
import { simulate, type PlanOutcome, type PlanWorld } from './simulate.ts';

/** What the managed service costs beside one's own machines, by published accounts of moves away from it. */
export const managedPriceFactor = 2.5;

export interface ModelOutcome {
  readonly model: 'hpa' | 'hpa-now' | 'keda' | 'jobs' | 'fixed' | 'fixed-vpa' | 'managed';
  readonly settings: string;
  readonly outcome: PlanOutcome;
  readonly keepsDeadline: boolean;
}

export interface Plan {
  readonly recommendation: Recommendation | undefined;
  /** Each model at the cheapest of its settings that keeps the deadline, or at its fastest where none does. */
  readonly models: readonly ModelOutcome[];
}

interface Trial {
  readonly settings: string;
  readonly scaler: () => Scaler;
  readonly world?: PlanWorld;
}

const vpaSizes = { sizeMin: 0.1, sizeMax: 4 } as const;
/** How long an idle worker waits before it ends itself. */
const idleSeconds = 60;
/** A worker's share of the backlog, as seconds of its work, as shares of the deadline. */
const jobShares = [0.05, 0.1, 0.2, 0.4, 0.7] as const;

/** The same trace under each way to scale, and what the HPA is recommended to be. */
export function compareModels(request: PlanRequest): Plan {
  const { world, deadlineSeconds, replicasMax, existing, readingsPerMessage = 1 } = request;
  const rate = world.readingsPerPodSecond;
  const recommendation = recommend(request);
  const spec = recommendation?.spec;
  const counts = replicaCounts(replicasMax);
  const trials: Readonly<Record<Exclude<ModelOutcome['model'], 'hpa'>, readonly Trial[]>> = {
    'hpa-now':
      existing === undefined
        ? []
        : [{ settings: replicasText(existing), scaler: () => new HpaScaler(existing, { readingsPerMessage }) }],
    keda:
      spec === undefined
        ? []
        : [
            {
              settings: '0 and up',
              scaler: () => new KedaScaler({ ...spec, minReplicas: 1 }, { readingsPerMessage }),
            },
          ],
    jobs: jobShares.map((share) => {
      const targetBacklog = Math.ceil(rate * deadlineSeconds * share);
      const options = { targetBacklog, jobsMax: replicasMax, idleSeconds };
      return { settings: `a Job for ${targetBacklog} readings`, scaler: () => new JobsScaler(options) };
    }),
    fixed: counts.map((count) => ({ settings: `${count} pods`, scaler: () => new FixedScaler(count) })),
    'fixed-vpa': counts.map((count) => ({ settings: `${count} pods`, scaler: () => new VpaScaler(count, vpaSizes) })),
    managed: [
      {
        settings: `at ${managedPriceFactor} times the price`,
        scaler: () => new DataflowLikeScaler({ workersMin: 1, workersMax: replicasMax, readingsPerWorkerSecond: rate }),
        world: { ...world, dollarsPerPodHour: world.dollarsPerPodHour * managedPriceFactor },
      },
    ],
  };
  const others = Object.entries(trials).flatMap(([model, list]) => {
    const found = cheapest(request, list);
    return found === undefined ? [] : [{ model: model as ModelOutcome['model'], ...found }];
  });
  const hpa: ModelOutcome[] =
    recommendation === undefined
      ? []
      : [
          {
            model: 'hpa',
            settings: replicasText(recommendation.spec),
            outcome: recommendation.outcome,
            keepsDeadline: true,
          },
        ];
  return { recommendation, models: [...hpa, ...others] };
}

function cheapest(request: PlanRequest, trials: readonly Trial[]): Omit<ModelOutcome, 'model'> | undefined {
  const outcomes = trials.map(({ settings, scaler, world = request.world }) => {
    const outcome = simulate(request.trace, { world, scaler: scaler() });
    const keepsDeadline = outcome.finished && outcome.worstAgeSeconds <= request.deadlineSeconds;
    return { settings, outcome, keepsDeadline };
  });
  const keeping = outcomes.filter(({ keepsDeadline }) => keepsDeadline);
  return keeping.length > 0
    ? keeping.reduce((best, each) => (each.outcome.dollars < best.outcome.dollars ? each : best))
    : outcomes.reduce<(typeof outcomes)[number] | undefined>(
        (best, each) =>
          best === undefined || each.outcome.worstAgeSeconds < best.outcome.worstAgeSeconds ? each : best,
        undefined,
      );
}

/** Ever larger steps: a pod more or less matters where there are few. */
function replicaCounts(replicasMax: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < replicasMax; count = Math.max(count + 1, Math.floor(count * 1.3))) {
    counts.push(count);
  }
  return [...counts, replicasMax];
}

function replicasText({ minReplicas, maxReplicas }: HpaSpec): string {
  return `${minReplicas} to ${maxReplicas} pods`;
}
