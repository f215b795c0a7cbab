import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { flowOf } from '@meterflow/rules';
import { ruleOf } from '@meterflow/rules/testing';
import { IsolatedSandbox } from '../index.ts';

// A process with a sandbox that runs the rule body given, for tests that kill it. Says its child's process id.

const rule = ruleOf(process.argv[2] ?? '', 'given');
const builder = new BatchBuilder();
const row = new ReadingRow();
row.series = builder.series('meter', 'import');
row.unit = builder.text('kWh');
row.version = builder.version(rawVersion(0, 1));
builder.append(row);
const batch = builder.finish({ tenant: 'tenant', layer: 'raw', sourceId: 's/1', acceptedAtMs: 1, activation: 1 });

const sandbox = new IsolatedSandbox({ limits: { batchCpuMsMax: 60_000, batchWallMsMax: 1_000 } });
await sandbox.run(flowOf('empty', []), batch);
process.stdout.write(String(sandbox.childPids[0]));
void sandbox.run(flowOf('given', [{ rule, parameters: {} }]), batch).catch(() => undefined);
setInterval(() => undefined, 1_000);
