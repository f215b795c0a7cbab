import { defineRoute, type Route } from '@meterflow/http';
import type { StoredRule } from '@meterflow/registry';
import { sourceDiff, stockRules } from '@meterflow/rules';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { name, told, version } from './rule-order.ts';
import { asProblem } from './rule-problem.ts';

/** Sources as JSON, which escapes them: twice the bytes that a project may have. */
const uploadBytesMax = 1024 * 1024;
const filesMax = 200;

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

type RulePorts = Pick<ControlPorts, 'rules' | 'audited'>;

/** Customers see to their own tenant's rules; an operator's key to those of its own tenant. */
export function ruleRoutes(ports: RulePorts): readonly Route[] {
  return [uploadRoute(ports), listRoute(ports), stockRoute(), showRoute(ports)];
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
      const act = { who, what: 'rule-uploaded', subject: entry, why } as const;
      const { rule: stored, added } = await ports.audited.step(principal.tenant, act, async () => {
        const result = await ports.rules.upload(principal.tenant, sources).catch(asProblem);
        const { version: kept, number } = result.rule;
        return { result, subject: result.added ? `${kept.name}@${number}` : undefined };
      });
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
