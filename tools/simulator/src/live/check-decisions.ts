import { HpaController, parseHpa, type ExternalMetric, type ObservedScale } from '@meterflow/scaling';
import type { LiveSequence } from './live-sequences.ts';
import type { ObservedCluster } from './observed-cluster.ts';

/** One question of the controller, as the metrics server saw it. */
export interface MetricRead {
  readonly at: string;
  /** `NAMESPACE/METRIC` */
  readonly metric: string;
  readonly values: readonly string[] | null;
}

export interface CheckedDecisions {
  readonly syncs: number;
  readonly changes: number;
  /** Syncs at which the model decides so only for what was there a moment before or after. */
  readonly slack: number;
  /** The first sync at which the controller decided as the model does in no case. */
  readonly difference?: object;
}

interface Sync {
  readonly atMs: number;
  readonly milli: readonly (number | undefined)[];
}

/** One way in which a sync may have seen the world. */
interface View {
  readonly nowMs: number;
  readonly scale: ObservedScale;
}

/** So far what the controller saw may lie from what we were told, and its clock from the metrics server's. */
const slackMs = 300;
const shiftsMs = [0, -slackMs, slackMs];
const nsPerMs = 1e6;

/** Holds every decision that was taken against the model's, for the metrics that were served and the pods that were there. */
export function checkDecisions(
  { name, spec }: LiveSequence,
  reads: readonly MetricRead[],
  cluster: ObservedCluster,
): CheckedDecisions {
  const hpa = parseHpa({ spec });
  const syncs = syncsOf(name, reads, hpa.metrics);
  const views: View[] = [];
  const sum = { syncs: 0, changes: 0, slack: 0 };
  let controller = new HpaController(hpa);
  for (const [i, sync] of syncs.slice(0, -1).entries()) {
    const from = cluster.replicasAt(name, sync.atMs)?.spec ?? 0;
    const decided = cluster.replicasAt(name, (syncs[i + 1] as Sync).atMs)?.spec ?? 0;
    const candidates = viewsOf(sync, { from, metrics: hpa.metrics, name, cluster });
    const [usual] = candidates as [View];
    let seen: View | undefined = usual;
    const usually = decisionOf(controller, usual);
    if (usually !== decided) {
      seen = candidates.find((view) => decisionOf(again(hpa, views), view) === decided);
      if (seen === undefined) {
        const { specReplicas, statusReplicas, podCount, readyPodCount } = usual.scale;
        const observed = { specReplicas, statusReplicas, podCount, readyPodCount, milli: sync.milli };
        return { ...sum, difference: { name, spec, sync: i, observed, controller: decided, model: usually } };
      }
      controller = again(hpa, [...views, seen]);
      sum.slack += 1;
    }
    views.push(seen);
    sum.syncs += 1;
    sum.changes += decided === from ? 0 : 1;
  }
  return sum;
}

/** The metrics are asked for one after the other, each time all of them. */
function syncsOf(name: string, reads: readonly MetricRead[], metrics: readonly ExternalMetric[]): readonly Sync[] {
  const own = reads.filter(({ metric }) => metric.startsWith(`${name}/`));
  const syncs: Sync[] = [];
  for (let first = 0; first + metrics.length <= own.length; first += metrics.length) {
    const asked = own.slice(first, first + metrics.length);
    const names = asked.map(({ metric }) => metric.slice(name.length + 1));
    if (names.join() !== metrics.map((metric) => metric.name).join()) {
      throw new Error(`${name}: the controller asked for ${names.join()}`);
    }
    syncs.push({ atMs: Date.parse(asked.at(-1)?.at ?? ''), milli: asked.map(({ values }) => milliOf(values)) });
  }
  return syncs;
}

/** Values are told in thousandths. */
function milliOf(values: readonly string[] | null): number | undefined {
  return values?.reduce((total, value) => total + Number(value.slice(0, -1)), 0);
}

interface Seeing {
  readonly name: string;
  readonly from: number;
  readonly metrics: readonly ExternalMetric[];
  readonly cluster: ObservedCluster;
}

/** The likeliest first. */
function viewsOf({ atMs, milli }: Sync, { name, from, metrics, cluster }: Seeing): readonly View[] {
  return shiftsMs.flatMap((seenShiftMs) =>
    shiftsMs.map((clockShiftMs) => {
      const { count, ready } = cluster.podsAt(name, atMs + seenShiftMs);
      return {
        nowMs: atMs + clockShiftMs,
        scale: {
          specReplicas: from,
          statusReplicas: cluster.replicasAt(name, atMs + seenShiftMs)?.status ?? 0,
          podCount: count,
          readyPodCount: ready,
          milliOf: (metric) => milli[metrics.indexOf(metric)],
        },
      };
    }),
  );
}

function decisionOf(controller: HpaController, { nowMs, scale }: View): number {
  return controller.sync(nowMs * nsPerMs, scale);
}

/** A controller that has been through all of that. */
function again(hpa: ReturnType<typeof parseHpa>, views: readonly View[]): HpaController {
  const controller = new HpaController(hpa);
  views.forEach((view) => decisionOf(controller, view));
  return controller;
}
