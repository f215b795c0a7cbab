import { defineRoute, type Route } from '@meterflow/http';
import { instantMsMax } from '@meterflow/registry';
import { failurePolicies, type Activation, type Flow } from '@meterflow/rules';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { name, parameterValue, told, version } from './rule-order.ts';
import { asProblem } from './rule-problem.ts';

const activationsShown = 100;
/** Smaller than any meter's own part of all there are, it would take none. */
const meterShare = z.number().min(0.0001).max(1);
const activation = z.object({
  number: z.number().int(),
  createdAt: z.string(),
  author: z.string().optional(),
  why: z.string().optional(),
  from: z.string().nullable().describe('null: of all times'),
  to: z.string().nullable(),
  onFailure: z.enum(failurePolicies),
  steps: z.array(
    z.object({
      rule: z.string(),
      id: z.string(),
      channels: z.string(),
      parameters: z.record(z.string(), parameterValue),
      share: z
        .object({ from: z.number(), to: z.number() })
        .optional()
        .describe('of the meters, by where their names lie between 0 and 1; all when absent'),
    }),
  ),
});

type RulePorts = Pick<ControlPorts, 'rules' | 'audited'>;

/** From when on, for which meters and with which parameters rules run; and back. */
export function activationRoutes(ports: RulePorts): readonly Route[] {
  return [activateRoute(ports), retireRoute(ports), activationsRoute(ports), rollbackRoute(ports)];
}

function activateRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/rules/{name}/activate',
    operationId: 'activateRule',
    summary: 'A new activation: the tenant’s flow with this rule in it, for readings from an instant on',
    roles: ['customer', 'operator'],
    params: name,
    body: z.strictObject({
      version,
      from: z.iso.datetime({ offset: true }),
      channels: z.string().min(1).max(64).optional(),
      parameters: z.record(z.string(), parameterValue).default({}),
      share: meterShare.optional().describe('of the meters; grown later, it keeps those that it had'),
      before: z
        .string()
        .min(1)
        .max(63)
        .optional()
        .describe('a rule of the flow that it is to stand before; its own place, or the last, when not given'),
      onFailure: z.enum(failurePolicies).optional(),
      ...told,
    }),
    answers: {
      201: {
        description: 'The activation',
        schema: activation.extend({ notes: z.array(z.string()).describe('what may not be as it was meant') }),
      },
    },
    handle: async ({ principal, params, body: { from, parameters, author, why, ...rest } }) => {
      const who = await ports.audited.nameOf(principal, author);
      const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const order = { ...given, name: params.name, fromMs: Date.parse(from), parameters, who, why };
      const act = { who, what: 'rule-activated', subject: `${params.name} from ${from}`, why } as const;
      const made = await ports.audited.step(principal.tenant, act, async () => {
        const result = await ports.rules.activate(principal.tenant, order).catch(asProblem);
        return { result, subject: `${stepText(result, params.name)} from ${from}, activation ${result.number}` };
      });
      return { status: 201, json: { ...activationJson(made), notes: orderNotes(made.flow, params.name) } };
    },
  });
}

/** Whoever looks around sees what came: a step before it may have made something else of its own day. */
function orderNotes({ steps }: Flow, ruleName: string): readonly string[] {
  const at = steps.findIndex(({ rule }) => rule.name === ruleName);
  const looks = steps[at]?.rule.series;
  const before = [...new Set(steps.slice(0, Math.max(0, at)).map(({ rule }) => rule.name))];
  const looksAround = looks !== undefined && (looks.lookBackDays + looks.lookAheadDays > 0 || looks.reads.length > 0);
  return looksAround && before.length > 0
    ? [
        `${ruleName} sees other days and channels as they came, not as ${before.join(', ')} would leave them: if one of these ` +
          'changes values or units, let it stand before that one',
      ]
    : [];
}

function retireRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/rules/{name}/retire',
    operationId: 'retireRule',
    summary: 'A new activation: the tenant’s flow without this rule, for readings from an instant on',
    roles: ['customer', 'operator'],
    params: name,
    body: z.strictObject({
      from: z.iso.datetime({ offset: true }),
      channels: z.string().min(1).max(64).optional().describe('on these alone'),
      ...told,
    }),
    answers: { 201: { description: 'The activation', schema: activation } },
    handle: async ({ principal, params, body: { from, channels, author, why } }) => {
      const who = await ports.audited.nameOf(principal, author);
      const given = channels === undefined ? {} : { channels };
      const order = { name: params.name, fromMs: Date.parse(from), who, why, ...given };
      const act = { who, what: 'rule-retired', subject: `${params.name} from ${from}`, why } as const;
      const made = await ports.audited.step(principal.tenant, act, async () => {
        const result = await ports.rules.retire(principal.tenant, order).catch(asProblem);
        return { result, subject: `${act.subject}, activation ${result.number}` };
      });
      return { status: 201, json: activationJson(made) };
    },
  });
}

function activationsRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/activations',
    operationId: 'listActivations',
    summary: `The last ${activationsShown} activations, newest first: for a reading the newest that spans it counts`,
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'The activations', schema: z.object({ activations: z.array(activation) }) } },
    handle: async ({ principal }) => {
      const found = await ports.rules.activations.list(principal.tenant, { limit: activationsShown });
      return { json: { activations: found.map(activationJson) } };
    },
  });
}

function rollbackRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/activations/rollback',
    operationId: 'rollBackActivation',
    summary: 'Make what counted under an earlier activation count again, by new ones',
    roles: ['customer', 'operator'],
    body: z.strictObject({
      to: z.number().int().min(0).optional().describe('0: before the first; the one before the newest when not given'),
      ...told,
    }),
    answers: { 201: { description: 'The new ones', schema: z.object({ activations: z.array(activation) }) } },
    handle: async ({ principal, body }) => {
      const who = await ports.audited.nameOf(principal, body.author);
      const order = { who, why: body.why, ...(body.to === undefined ? {} : { number: body.to }) };
      const asked = body.to === undefined ? 'the newest' : `to activation ${body.to}`;
      const act = { who, what: 'activation-rolled-back', subject: asked, why: body.why } as const;
      const made = await ports.audited.step(principal.tenant, act, async () => {
        const result = await ports.rules.rollBack(principal.tenant, order).catch(asProblem);
        const numbers = result.map(({ number }) => number).join(', ');
        return { result, subject: `${asked}, by activation ${numbers}` };
      });
      return { status: 201, json: { activations: made.map(activationJson) } };
    },
  });
}

/** The rule as it stands in the newest step of an activation: `high-use@37a31c1b6f65, first 10 % of meters`. */
function stepText({ flow }: Activation, name: string): string {
  const step = flow.steps.find(({ rule: { name: own } }) => own === name);
  const share = step?.share === undefined ? '' : ` for ${step.share.to * 100} % of the meters`;
  return `${name}@${step?.rule.id.slice(0, 12) ?? ''} on ${step?.channels ?? ''}${share}`;
}

function activationJson({
  number,
  createdAtMs,
  fromMs,
  toMs,
  flow,
  author,
  why,
}: Activation): z.infer<typeof activation> {
  const instant = (ms: number): string | null => (Math.abs(ms) === instantMsMax ? null : new Date(ms).toISOString());
  return {
    number,
    createdAt: new Date(createdAtMs).toISOString(),
    ...(author === undefined ? {} : { author }),
    ...(why === undefined ? {} : { why }),
    from: instant(fromMs),
    to: instant(toMs),
    onFailure: flow.onFailure,
    steps: flow.steps.map((step) => ({
      rule: step.rule.name,
      id: step.rule.id,
      channels: step.channels,
      parameters: { ...step.parameters },
      ...(step.share === undefined ? {} : { share: step.share }),
    })),
  };
}
