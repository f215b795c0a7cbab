import { defineRoute, type Route } from '@meterflow/http';
import { z } from 'zod';
import type { Backlog, ControlPorts } from '../ports.ts';

const count = z.number().int();
const backlog = z.object({
  subscription: z.string(),
  topic: z.string(),
  messages: count.describe('not acked yet'),
  bytes: count,
  ageSeconds: z.number().describe('age of the oldest of them; 0 where there is none'),
  leased: count.describe('in work at this moment'),
});
const answer = z.object({
  at: z.string(),
  idle: z.boolean().describe('true when no message waits anywhere'),
  backlogMessages: count,
  backlogAgeSeconds: z.number(),
  backlogs: z.array(backlog),
  deadLetters: z.object({ dead: count, parked: count, purged: count }),
});

export function statusRoute(ports: Pick<ControlPorts, 'backlogs' | 'deadLetters' | 'nowMs'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/status',
    operationId: 'getStatus',
    summary: 'What waits where, for how long, and what is dead',
    roles: ['operator'],
    answers: { 200: { description: 'The status', schema: answer } },
    handle: async () => {
      const nowMs = ports.nowMs();
      const backlogs = (await ports.backlogs()).map((each) => backlogOf(each, nowMs));
      const backlogMessages = backlogs.reduce((sum, { messages }) => sum + messages, 0);
      return {
        json: {
          at: new Date(nowMs).toISOString(),
          idle: backlogMessages === 0,
          backlogMessages,
          backlogAgeSeconds: Math.max(0, ...backlogs.map(({ ageSeconds }) => ageSeconds)),
          backlogs,
          deadLetters: await ports.deadLetters.counts(),
        },
      };
    },
  });
}

function backlogOf(each: Backlog, nowMs: number): z.infer<typeof backlog> {
  const { subscription, topic, messages, bytes, oldestPublishedAtMs, leased } = each;
  const ageSeconds = oldestPublishedAtMs === undefined ? 0 : Math.max(0, nowMs - oldestPublishedAtMs) / 1000;
  return { subscription, topic, messages, bytes, ageSeconds, leased };
}
