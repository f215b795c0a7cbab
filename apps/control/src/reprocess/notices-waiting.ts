import { topicName, type Lane } from '@meterflow/contracts';
import type { Backlog } from '../ports.ts';

/** Notices of raw readings that rule-execution has not handled; undefined where the platform does not tell. */
export function noticesWaiting(backlogs: readonly Backlog[] | undefined, lane: Lane): number | undefined {
  const topic = topicName('readings.stored.raw', lane);
  return backlogs?.filter((each) => each.topic === topic).reduce((sum, { messages }) => sum + messages, 0);
}
