import { defineRoute, Problem, type Route } from '@meterflow/http';
import { CompilerBusyError, placeOf } from '@meterflow/rule-compiler';
import {
  instantMsMax,
  TooManyVersionsError,
  UnknownActivationError,
  UnknownRuleError,
  whyCharsMax,
  type StoredRule,
} from '@meterflow/registry';
import { failurePolicies, RuleFailureError, sourceDiff, stockRules, type Activation } from '@meterflow/rules';
import { z } from 'zod';
import { BacktestBusyError } from '../backtest/backtest-desk.ts';
import type { ControlPorts } from '../ports.ts';
import { RefusedRuleError } from '../rule-desk.ts';

/** Sources as JSON, which escapes them: twice the bytes that a project may have. */
const uploadBytesMax = 1024 * 1024;
const filesMax = 200;
const activationsShown = 100;

export const parameterValue = z.union([z.number(), z.string(), z.boolean()]);
const rule = z.object({
  name: z.string(),
  version: z.number().int(),
  id: z.string().describe('SHA-256 of its sources and the SDK contract'),
  contract: z.number().int(),
  createdAt: z.string(),
  author: z.string(),
  parameters: z.record(z.string(), z.unknown()).describe('type, default, range, unit and help of each'),
  channels: z.array(z.string()),
});
const stock = rule
  .pick({ name: true, id: true, contract: true, parameters: true, channels: true })
  .extend({ does: z.string(), files: z.record(z.string(), z.string()) });
const uploaded = rule.extend({ added: z.boolean().describe('false where the same was uploaded before') });
const shown = rule.extend({
  files: z.record(z.string(), z.string()),
  tests: z.array(z.object({ file: z.string(), name: z.string() })).describe('all passed before it was kept'),
  diff: z.string().describe('against the version before'),
  versions: z.array(rule),
});
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
const name = z.object({ name: z.string().min(1).max(63) });
/** Smaller than any meter's own part of all there are, it would take none. */
const meterShare = z.number().min(0.0001).max(1);
export const version = z.string().min(1).max(64).optional().describe('a number, or the beginning of an id');

type RulePorts = Pick<ControlPorts, 'rules' | 'audited'>;
/** Who asks, beside the name of the key, and why: both stand in the audit trail. */
const told = {
  author: z.string().min(1).max(200).optional().describe('who asks, beside the key’s name'),
  why: z.string().max(whyCharsMax).default('').describe('kept in the audit trail'),
};

/** Customers see to their own tenant's rules; an operator's key to those of its own tenant. */
export function ruleRoutes(ports: RulePorts): readonly Route[] {
  return [
    uploadRoute(ports),
    listRoute(ports),
    stockRoute(),
    showRoute(ports),
    activateRoute(ports),
    retireRoute(ports),
    activationsRoute(ports),
    rollbackRoute(ports),
  ];
}

function uploadRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/rules',
    operationId: 'uploadRule',
    summary: 'Check a rule against the SDK, run its tests, and keep it as an immutable version; nothing is activated',
    roles: ['customer', 'operator'],
    bodyBytesMax: uploadBytesMax,
    body: z.strictObject({
      entry: z.string().min(1).max(200).describe('the file that exports the rule; entry.test.ts beside it is its test'),
      files: z
        .record(z.string().max(200), z.string())
        .refine((files) => Object.keys(files).length <= filesMax, `${filesMax} files are the most`),
      ...told,
    }),
    answers: {
      200: { description: 'The same is there already', schema: uploaded },
      201: { description: 'The new version', schema: uploaded },
    },
    handle: async ({ principal, body: { entry, files, author, why } }) => {
      const who = await ports.audited.nameOf(principal, author);
      const sources = { entry, author: who, files: new Map(Object.entries(files)) };
      const { rule: stored, added } = await ports.rules.upload(principal.tenant, sources).catch(asProblem);
      if (added) {
        const subject = `${stored.version.name}@${stored.number}`;
        await ports.audited.add(principal.tenant, { who, what: 'rule-uploaded', subject, why });
      }
      return { status: added ? 201 : 200, json: { ...jsonOf(stored), added } };
    },
  });
}

function listRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/rules',
    operationId: 'listRules',
    summary: 'The newest version of each rule, by name',
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'The rules', schema: z.object({ rules: z.array(rule) }) } },
    handle: async ({ principal }) => ({
      json: { rules: (await ports.rules.versions.list(principal.tenant)).map(jsonOf) },
    }),
  });
}

function stockRoute(): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/stock-rules',
    operationId: 'listStockRules',
    summary: 'The rules that come with this build: each can be activated by its name',
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'The rules', schema: z.object({ rules: z.array(stock) }) } },
    handle: () => {
      const rules = [...stockRules.values()].map(({ version, declaration: { parameters, channels }, does, files }) => ({
        ...{ name: version.name, does, id: version.id, contract: version.contract },
        ...{ parameters, channels: [...channels], files },
      }));
      return Promise.resolve({ json: { rules } });
    },
  });
}

function showRoute(ports: RulePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/rules/{name}',
    operationId: 'getRule',
    summary: 'One version with its sources and what it changed; the newest unless told',
    roles: ['customer', 'operator'],
    params: name,
    query: z.strictObject({ version }),
    answers: { 200: { description: 'The rule', schema: shown } },
    handle: async ({ principal: { tenant }, params, query }) => {
      const { versions } = ports.rules;
      const stored = await versions.require(tenant, params.name, query.version).catch(asProblem);
      const all = await versions.versions(tenant, params.name);
      const before = all.find(({ number }) => number < stored.number);
      const diff = sourceDiff(before?.files ?? {}, stored.files);
      return { json: { ...jsonOf(stored), files: stored.files, tests: stored.tests, diff, versions: all.map(jsonOf) } };
    },
  });
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
      onFailure: z.enum(failurePolicies).optional(),
      ...told,
    }),
    answers: { 201: { description: 'The activation', schema: activation } },
    handle: async ({ principal, params, body: { from, parameters, author, why, ...rest } }) => {
      const who = await ports.audited.nameOf(principal, author);
      const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const order = { ...given, name: params.name, fromMs: Date.parse(from), parameters, who, why };
      const made = await ports.rules.activate(principal.tenant, order).catch(asProblem);
      const subject = `${stepText(made, params.name)} from ${from}, activation ${made.number}`;
      await ports.audited.add(principal.tenant, { who, what: 'rule-activated', subject, why });
      return { status: 201, json: activationJson(made) };
    },
  });
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
      const order = { name: params.name, fromMs: Date.parse(from), who, why };
      const made = await ports.rules
        .retire(principal.tenant, { ...order, ...(channels === undefined ? {} : { channels }) })
        .catch(asProblem);
      const subject = `${params.name} from ${from}, activation ${made.number}`;
      await ports.audited.add(principal.tenant, { who, what: 'rule-retired', subject, why });
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
      const made = await ports.rules.rollBack(principal.tenant, order).catch(asProblem);
      const numbers = made.map(({ number }) => number).join(', ');
      const subject = `${body.to === undefined ? 'the newest' : `to activation ${body.to}`}, by activation ${numbers}`;
      await ports.audited.add(principal.tenant, { who, what: 'activation-rolled-back', subject, why: body.why });
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

function jsonOf({ version: stored, number, declaration, author, createdAtMs }: StoredRule): z.infer<typeof rule> {
  return {
    name: stored.name,
    version: number,
    id: stored.id,
    contract: stored.contract,
    createdAt: new Date(createdAtMs).toISOString(),
    author,
    parameters: declaration.parameters,
    channels: [...declaration.channels],
  };
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

/** What a desk of rules refuses, as HTTP has it. */
export function asProblem(error: unknown): never {
  if (error instanceof RefusedRuleError) {
    const errors = error.problems.map((each) => ({ at: placeOf(each), problem: each.message }));
    const [first] = errors;
    const detail = first === undefined ? error.message : `${error.message}: ${first.at} ${first.problem}`;
    throw new Problem('unprocessable-content', detail, { errors, cause: error });
  }
  if (error instanceof UnknownRuleError || error instanceof UnknownActivationError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  if (error instanceof TooManyVersionsError || error instanceof RuleFailureError) {
    throw new Problem('unprocessable-content', error.message, { cause: error });
  }
  if (error instanceof CompilerBusyError || error instanceof BacktestBusyError) {
    throw new Problem('overloaded', error.message, { retryAfterSeconds: 5, cause: error });
  }
  throw error;
}
