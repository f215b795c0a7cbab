import { machine } from '../machine.ts';
import type { ProcessUsage } from '../process-usage.ts';

/** One shape's measurement. */
export interface Measured {
  readonly shape: string;
  readonly readings: number;
  readonly seconds: number;
  readonly processes: readonly ProcessUsage[];
  readonly problems: readonly string[];
}

/** A tick of the kernel's clock: less is told as none. */
const cpuSecondsMin = 0.01;

/** Not ours to speed up. */
const parts: readonly string[] = ['Pub/Sub emulator', 'Bigtable emulator', 'Redis'];

interface Usage {
  readonly process: string;
  readonly ours: boolean;
  readonly cpuSecondsPerMillion: number;
  /** What it would settle with a core to itself: a pod settles as large a part as it requests of a core. */
  readonly readingsPerCoreSecond: number;
  readonly memoryMbPeak: number;
}

interface ShapeSummary {
  readonly shape: string;
  readonly readings: number;
  readonly readingsPerSecond: number;
  /** Of our own processes. */
  readonly readingsPerCpuSecond: number;
  readonly cpuSecondsPerMillion: { readonly ours: number; readonly emulators: number };
  readonly processes: readonly Usage[];
  readonly problems: readonly string[];
}

export function summary(measured: readonly Measured[]): {
  readonly shapes: readonly ShapeSummary[];
  readonly machine: typeof machine;
} {
  return { shapes: measured.map(ofShape), machine };
}

function ofShape({ shape, readings, seconds, processes, problems }: Measured): ShapeSummary {
  const millions = readings / 1e6;
  const names = [...new Set(processes.map(({ name }) => name))];
  const usages = names.map((process): Usage => {
    const own = processes.filter(({ name }) => name === process);
    const cpuSeconds = own.reduce((sum, each) => sum + each.cpuSeconds, 0);
    return {
      process,
      ours: !parts.includes(process),
      cpuSecondsPerMillion: rounded(cpuSeconds / millions),
      readingsPerCoreSecond: Math.round(readings / Math.max(cpuSeconds, cpuSecondsMin)),
      memoryMbPeak: Math.round(own.reduce((sum, { memoryBytesPeak }) => sum + memoryBytesPeak, 0) / 1e6),
    };
  });
  const cpu = (ours: boolean): number =>
    rounded(usages.filter((usage) => usage.ours === ours).reduce((sum, usage) => sum + usage.cpuSecondsPerMillion, 0));
  return {
    shape,
    readings,
    readingsPerSecond: Math.round(readings / seconds),
    readingsPerCpuSecond: Math.round(1e6 / cpu(true)),
    cpuSecondsPerMillion: { ours: cpu(true), emulators: cpu(false) },
    processes: usages.toSorted((a, b) => Number(b.ours) - Number(a.ours)),
    problems,
  };
}

export function report(measured: readonly Measured[]): string {
  return [JSON.stringify(machine), ...measured.map((each) => shapeReport(ofShape(each)))].join('\n\n');
}

function shapeReport(told: ShapeSummary): string {
  const { shape, readings, cpuSecondsPerMillion: cpu, processes, problems } = told;
  return [
    `${shape}: ${readings} readings, ${told.readingsPerSecond} readings/s, ` +
      `${told.readingsPerCpuSecond} readings per CPU-second of ours`,
    `  CPU-s per million: ${cpu.ours} ours, ${cpu.emulators} of the emulators and Redis`,
    `  ${'process'.padEnd(20)}${'CPU-s per million'.padStart(18)}${'readings/s a core'.padStart(19)}${'peak MB'.padStart(10)}`,
    ...processes.map(
      ({ process, cpuSecondsPerMillion, readingsPerCoreSecond, memoryMbPeak }) =>
        `  ${process.padEnd(20)}${String(cpuSecondsPerMillion).padStart(18)}${String(readingsPerCoreSecond).padStart(19)}` +
        String(memoryMbPeak).padStart(10),
    ),
    problems.length === 0 ? '  right' : `  WRONG: ${problems.slice(0, 10).join('; ')}`,
  ].join('\n');
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
