/*
 * What it costs to read a CSV file into batches:
 *
 *   node libs/formats/bench/read-csv.ts FILE [RUNS]
 *
 * CPU time is that of the whole process. "Quickest pieces" is the wall time of the quickest hundredth of the pieces of
 * 128 KiB: what the code takes where nothing else is on the machine.
 */
import { readingCount } from '@meterflow/readings';
import { closeSync, openSync, readSync } from 'node:fs';
import { atOneGo, createReader, defaultMapping } from '../src/index.ts';

const pieceBytes = 128 * 1024;
const nanosecondsIn = { microsecond: 1e3, millisecond: 1e6 };

interface Run {
  readonly readings: number;
  readonly cpuNanoseconds: number;
  readonly wallSeconds: number;
  /** Wall time of each piece, per reading. */
  readonly pieceNanoseconds: readonly number[];
}

function readOnce(file: string): Run {
  let readings = 0;
  const reader = createReader('csv', {
    mapping: defaultMapping,
    header: { tenant: 'default', layer: 'raw', sourceId: 'bench-1', acceptedAtMs: Date.now(), activation: 1 },
    onBatch: (batch) => {
      readings += readingCount(batch);
    },
    onRejects: (rejects) => {
      throw new Error(`line ${rejects[0]?.line ?? 0} was rejected: ${rejects[0]?.reason ?? ''}`);
    },
  });
  const piece = new Uint8Array(pieceBytes);
  const pieceNanoseconds: number[] = [];
  const handle = openSync(file, 'r');
  const next = (): number => readSync(handle, piece, 0, pieceBytes, null);
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let length = next(); length > 0; length = next()) {
    const { received } = reader.counts;
    const pieceStarted = performance.now();
    atOneGo(reader.push(piece.subarray(0, length)));
    const milliseconds = performance.now() - pieceStarted;
    pieceNanoseconds.push((milliseconds * nanosecondsIn.millisecond) / Math.max(1, reader.counts.received - received));
  }
  atOneGo(reader.end());
  const { user, system } = process.cpuUsage(cpu);
  closeSync(handle);
  return {
    readings,
    cpuNanoseconds: (user + system) * nanosecondsIn.microsecond,
    wallSeconds: (performance.now() - started) / 1_000,
    pieceNanoseconds,
  };
}

function report(runs: readonly Run[]): void {
  for (const { readings, cpuNanoseconds, wallSeconds } of runs) {
    const perReading = (cpuNanoseconds / readings).toFixed(0);
    process.stdout.write(`${readings} readings: ${perReading} ns CPU a reading, ${wallSeconds.toFixed(2)} s wall\n`);
  }
  // The first run still compiles.
  const pieces = runs
    .slice(1)
    .flatMap((run) => run.pieceNanoseconds)
    .sort((a, b) => a - b);
  const at = (share: number): string => (pieces[Math.floor(pieces.length * share)] ?? NaN).toFixed(0);
  process.stdout.write(`quickest pieces ${at(0.01)} ns a reading, median ${at(0.5)} ns\n`);
}

const [file, runs = '6'] = process.argv.slice(2);
if (file === undefined) {
  throw new Error('name the CSV file');
}
report(Array.from({ length: Number(runs) }, () => readOnce(file)));
