import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { erasablePlaces, openEmbeddedPlatform, storedDays, type EmbeddedPlatform } from '@meterflow/embedded';
import type { HttpServer } from '@meterflow/http';
import {
  Activations,
  AuditTrail,
  DueRecomputes,
  GroupRegistry,
  RegisterCalendars,
  Groups,
  Keys,
  Reprocesses,
  SeriesRegistry,
  Tenants,
  type Role,
  RuleVersions,
} from '@meterflow/registry';
import { RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { silentTelemetry, systemClock } from '@meterflow/stage';
import { Audited } from '../audited.ts';
import { createControl } from '../control.ts';
import { deadLetterDesk } from '../dead-letter-desk.ts';
import { erasureDesk } from '../erasure-desk.ts';
import type { ControlPorts } from '../ports.ts';
import { FlowTrace } from '../explain/flow-trace.ts';
import { BacktestDesk } from '../backtest/backtest-desk.ts';
import { RuleDesk } from '../rule-desk.ts';
import { recomputeDesk } from '../recompute-desk.ts';

/** The control API over an embedded platform of its own, with two tenants and a key of each role for both. */
export interface ControlRig {
  /** The data directory. */
  readonly root: string;
  readonly platform: EmbeddedPlatform;
  readonly server: HttpServer;
  readonly keys: Readonly<Record<'acme' | 'other', Readonly<Record<Role, string>>>>;
  close(): Promise<void>;
}

/** Nothing here takes time to spread. */
const sleepMsMax = 100;

export async function controlRig(): Promise<ControlRig> {
  const root = await mkdtemp(join(tmpdir(), 'control-'));
  const platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
  const nowMs = (): number => systemClock.nowMs();
  const newId = (): string => randomBytes(6).toString('hex');
  const registryPorts = { registry: platform.registry, nowMs, randomBytes: (count: number) => randomBytes(count) };
  const [tenants, keys] = [new Tenants(registryPorts), new Keys(registryPorts)];
  const { deadLetters, publisher, registry } = platform;
  const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
  const sandbox = new IsolatedSandbox();
  const rules = new RuleDesk({
    compiler: new RuleCompiler({ declare: readDeclaration }),
    sandbox,
    versions: new RuleVersions({ registry, nowMs }),
    activations,
  });
  const series = new SeriesRegistry({ registry, nowMs, cacheMs: -1 });
  const trying = {
    readings: platform.readings('raw'),
    settings: new SeriesRegistry({ registry, nowMs, cacheMs: 0 }),
    openSandbox: () => new IsolatedSandbox(),
    nowMs,
  };
  const ports: ControlPorts = {
    readings: (layer) => platform.readings(layer),
    history: (layer) => platform.readings(layer),
    activations,
    aggregates: platform.aggregates,
    sources: platform.sources,
    tenants,
    keys,
    deadLetters: deadLetterDesk({ deadLetters, publisher, activations }),
    erasures: erasureDesk(() => erasablePlaces(platform), { nowMs, newId: () => randomBytes(6).toString('hex') }),
    series,
    groups: new GroupRegistry(registry),
    calendars: new RegisterCalendars({ registry, nowMs, cacheMs: -1 }),
    groupsNow: new Groups({ registry, nowMs, cacheMs: -1, series }),
    recomputes: recomputeDesk({
      storedDays: storedDays(platform),
      publisher,
      lane: 'bulk',
      newKey: () => randomBytes(16).toString('hex'),
    }),
    dueRecomputes: new DueRecomputes({ registry, nowMs, newId }),
    rules,
    backtests: new BacktestDesk({
      ...trying,
      rules,
      storedSeries: (tenant) => platform.readings('raw').series({ tenant }),
    }),
    trace: new FlowTrace(trying),
    reprocesses: new Reprocesses({ registry, nowMs }),
    audited: new Audited({ trail: new AuditTrail({ registry, nowMs, newId }), keys }),
    newId,
    backlogs: () =>
      Promise.resolve([
        {
          subscription: 's.live',
          topic: 't.live',
          messages: 3,
          bytes: 30,
          oldestPublishedAtMs: nowMs() - 5_000,
          leased: 1,
        },
        { subscription: 's.bulk', topic: 't.bulk', messages: 0, bytes: 0, oldestPublishedAtMs: undefined, leased: 0 },
      ]),
    nowMs,
    readingsRetentionMs: 7_305 * 86_400_000,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, sleepMsMax), signal),
  };
  const issue = async (tenant: string, role: Role): Promise<string> =>
    (await keys.create({ tenant, role, label: '' })).text;
  const issueAll = async (tenant: string): Promise<Record<Role, string>> => {
    await tenants.create(tenant);
    return {
      provider: await issue(tenant, 'provider'),
      customer: await issue(tenant, 'customer'),
      operator: await issue(tenant, 'operator'),
    };
  };
  const issued = { acme: await issueAll('acme'), other: await issueAll('other') };
  const server = createControl(ports, {
    telemetry: silentTelemetry,
    authenticate: (text) => keys.authenticate(text),
    quotas: async (tenant) => (await tenants.require(tenant)).quotas,
    notLive: () => undefined,
    notReady: () => undefined,
    newRequestId: () => randomBytes(8).toString('hex'),
  });
  return {
    root,
    platform,
    server,
    keys: issued,
    close: async () => {
      await sandbox.close();
      await platform.close();
      await rm(root, { recursive: true });
    },
  };
}
