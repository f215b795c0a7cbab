import { written } from './lane-files.ts';
import { ingestStage, scaledStages, subscriptionsOf, type ScaledStage } from './scaled-stages.ts';

const cloudMetric = 'stackdriver_pubsub_subscription_pubsub_googleapis_com_subscription';
/** Milliseconds of a second that a stage waited for the one after it: half of the time is held back. */
const heldBackMsPerSecond = 500;

/**
 * The names that autoscalers use, whoever told the numbers. While a stage is held back its two metrics have no value: the
 * controller leaves the pods as they are, and more of them would only wait as well.
 */
export function recordingRules(lanes: readonly string[]): string {
  const held = lanes.flatMap((lane) =>
    [
      ...scaledStages.map((stage) => heldBack(stage, lane, `${stage.service}-${lane}`)),
      heldBack(ingestStage, lane, 'ingest'),
    ].flat(),
  );
  return `${written}# For Prometheus. Numbers of the first group: Pub/Sub's own, by Google's stackdriver-exporter.
groups:
  - name: meterflow-backlog
    rules:
      - record: meterflow_backlog_messages
        expr: max by (subscription_id) (${cloudMetric}_num_undelivered_messages)
      - record: meterflow_backlog_age_seconds
        expr: max by (subscription_id) (${cloudMetric}_oldest_unacked_message_age)
  # A stage that waits for the one after it is not scaled up: its metrics have no value, and its pods stay as they are.
  - name: meterflow-scaling
    rules:
${held.join('')}      - record: meterflow_scaling_backlog_messages
        expr: meterflow_backlog_messages unless on (subscription_id) meterflow_held_back
      - record: meterflow_scaling_backlog_age_seconds
        expr: meterflow_backlog_age_seconds unless on (subscription_id) meterflow_held_back
      # One value, without labels: those of routes are no label values of Kubernetes.
      - record: meterflow_scaling_requests_in_flight
        expr: sum(http_requests_in_flight{route="/v1/readings"})
`;
}

/** All subscriptions of a stage together: they share its pods. */
function heldBack(stage: ScaledStage, lane: string, pods: string): readonly string[] {
  const waited = `rate(stage_held_back_ms_total{pod=~"${pods}-.+"}[2m])`;
  return subscriptionsOf(stage, lane).map(
    (subscription) => `      - record: meterflow_held_back
        labels: { subscription_id: ${subscription} }
        expr: max(avg by (stage) (${waited})) > ${heldBackMsPerSecond}
`,
  );
}
