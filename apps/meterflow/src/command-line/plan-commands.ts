import { shippedTraces } from '@meterflow/scaling';
import type { Command } from 'commander';
import type { Surroundings } from '../cli-context.ts';
import { plan, planDefaults, type PlanOptions } from '../commands/plan.ts';
import { amount, seconds, wholeNumber } from './arguments.ts';

/** What scaling will do, before it is deployed. */
export function addPlanCommands(program: Command, { globals, output }: Surroundings): void {
  program
    .command('plan')
    .description('simulate how a stage scales under a load, and recommend the HPA that keeps a deadline')
    .requiredOption('--trace <file>', `CSV "seconds,readings", or one of ${shippedTraces.join(', ')}`)
    .requiredOption('--deadline <time>', 'no reading may wait longer: 90s, 15m, 2h', seconds)
    .option('--readings-per-day <count>', 'of the traces that come along', wholeNumber, planDefaults.readingsPerDay)
    .option('--rate <readings>', 'that one pod settles in a second', amount, planDefaults.rate)
    .option('--replicas-max <count>', 'the most pods that there may be', wholeNumber, planDefaults.replicasMax)
    .option('--pod-start <time>', "from a pod's creation until it works", seconds, planDefaults.podStart)
    .option('--drain <time>', 'from SIGTERM until it is gone', seconds, planDefaults.drain)
    .option('--metric-sample <time>', 'how often metrics are sampled', seconds, planDefaults.metricSample)
    .option('--metric-lag <time>', 'how late a sample is seen', seconds, planDefaults.metricLag)
    .option('--kill-every <time>', 'a pod is killed each time this is over', seconds)
    .option('--price <dollars>', 'of a pod for an hour', amount, planDefaults.price)
    .option('--hpa <file>', 'the autoscaler that is there: its metrics, their names and its policies are kept')
    .option('--readings-per-message <count>', 'that a backlog counts; 1,000 with --hpa, else 1', amount)
    .option('--name <hpa>', `whose patch it is: that of --hpa, else ${planDefaults.name}`)
    .option('--svg <file>', 'write arrivals, backlog, age and pods over time as a picture')
    .option('--csv <file>', 'the same as numbers')
    .option('--patch <file>', 'write the HPA patch there')
    .addHelpText(
      'after',
      `
Tries settings of a HorizontalPodAutoscaler on backlog and age in an exact model of the controller, takes those that keep
the deadline with the fewest pods taken away too early, and of them the cheapest; sets it beside KEDA, Jobs, fixed pods,
fixed pods with VPA, and the way a managed service scales. Exits 1 where nothing keeps the deadline.

Examples:
  meterflow plan --trace daily-files --deadline 15m
  meterflow plan --trace recorded.csv --deadline 15m --svg plan.svg --patch k8s/overlays/production/hpa-persistence.yaml
  meterflow plan --trace recorded.csv --deadline 15m --hpa k8s/components/autoscaling-gke/scalers/persistence-live.yaml`,
    )
    .action((options: PlanOptions) => {
      plan(options, globals(), output);
    });
}
