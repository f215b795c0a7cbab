import { readFileSync } from 'node:fs';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import { convertUnit, flagRange, flowOf } from '@meterflow/rules';
import { IsolatedSandbox } from '../src/index.ts';

// CPU of parent and child for a flow of two rules, by readings a batch and tenants:
//   node libs/sandbox/bench/round-trip.ts

const flow = flowOf('bench', [
  { rule: convertUnit, parameters: { factor: 1000, unit: 'Wh' } },
  { rule: flagRange, parameters: { below: 0, above: 10_000 } },
]);

function batchOf(tenant: string, readings: number, meters: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  for (let index = 0; index < readings; index++) {
    row.series = builder.series(`meter-${index % meters}`, 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1));
    row.startMs = Date.UTC(2024, 0, 1) + Math.floor(index / meters) * 1_800_000;
    row.lengthMs = 1_800_000;
    row.integer = (index * 7_919) % 3_000;
    row.decimals = 3;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'raw', sourceId: 'bench/1', acceptedAtMs: 1, activation: 1 });
}

function childCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ');
    return sum + (Number(fields[13]) + Number(fields[14])) * 10;
  }, 0);
}

async function measure(sandbox: IsolatedSandbox, batches: readonly ReadingBatch[], runs: number): Promise<void> {
  const pending: Promise<unknown>[] = [];
  for (let index = 0; index < runs; index++) {
    pending.push(sandbox.run(flow, batches[index % batches.length] as ReadingBatch));
    if (pending.length === 8) {
      await Promise.all(pending.splice(0));
    }
  }
  await Promise.all(pending);
}

const sandbox = new IsolatedSandbox({ limits: { isolatesMax: 500 } });
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
print('readings  meters  tenants   wall M/s   parent µs  child µs  total µs per reading   M readings per CPU-second');
for (const [readings, meters, tenants] of [
  [96, 1, 1],
  [1_000, 1, 1],
  [4_000, 1, 1],
  [4_000, 4_000, 1],
  [4_000, 1, 10],
  [4_000, 1, 100],
] as const) {
  const batches = Array.from({ length: tenants }, (_, index) => batchOf(`t${index}`, readings, meters));
  await measure(sandbox, batches, Math.max(500, tenants * 30));
  const runs = Math.round(12_000_000 / readings / (readings < 1_000 ? 4 : 1));
  const before = { cpu: process.cpuUsage(), child: childCpuMs(sandbox.childPids), atMs: performance.now() };
  await measure(sandbox, batches, runs);
  const wallMs = performance.now() - before.atMs;
  const cpu = process.cpuUsage(before.cpu);
  const count = runs * readings;
  const parent = (cpu.user + cpu.system) / count;
  const child = ((childCpuMs(sandbox.childPids) - before.child) * 1_000) / count;
  const cells = [count / wallMs / 1_000, parent, child, parent + child, 1 / (parent + child)].map((n) =>
    n.toFixed(3).padStart(10),
  );
  print(`${readings}`.padStart(8) + `${meters}`.padStart(8) + `${tenants}`.padStart(9) + cells.join(' '));
}
await sandbox.close();
