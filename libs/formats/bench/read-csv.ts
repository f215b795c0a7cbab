/*
 * What it costs to read a CSV file into batches, in CPU time of one core:
 *
 *   node libs/formats/bench/read-csv.ts FILE [RUNS]
 */
import { readingCount } from '@meterflow/readings';
import { closeSync, openSync, readSync } from 'node:fs';
import { createReader, defaultMapping } from '../src/index.ts';

const pieceBytes = 256 * 1024;

function readOnce(file: string): { readings: number; batches: number; cpuSeconds: number; wallSeconds: number } {
  let readings = 0;
  let batches = 0;
  const reader = createReader('csv', {
    mapping: defaultMapping,
    header: { tenant: 'default', layer: 'raw', sourceId: 'bench-1', acceptedAtMs: Date.now(), activation: 1 },
    onBatch: (batch) => {
      readings += readingCount(batch);
      batches += 1;
    },
    onRejects: (rejects) => {
      throw new Error(`line ${rejects[0]?.line ?? 0} was rejected: ${rejects[0]?.reason ?? ''}`);
    },
  });
  const piece = new Uint8Array(pieceBytes);
  const handle = openSync(file, 'r');
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (
    let length = readSync(handle, piece, 0, piece.length, null);
    length > 0;
    length = readSync(handle, piece, 0, piece.length, null)
  ) {
    reader.push(piece.subarray(0, length));
  }
  reader.end();
  const { user, system } = process.cpuUsage(cpu);
  closeSync(handle);
  return { readings, batches, cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - started) / 1_000 };
}

const [file, runs = '5'] = process.argv.slice(2);
if (file === undefined) {
  throw new Error('name the CSV file');
}
for (let run = 0; run < Number(runs); run++) {
  const { readings, batches, cpuSeconds, wallSeconds } = readOnce(file);
  const nanoseconds = (cpuSeconds / readings) * 1e9;
  process.stdout.write(
    `${readings} readings in ${batches} batches: ${cpuSeconds.toFixed(3)} s CPU, ${wallSeconds.toFixed(3)} s wall, ${nanoseconds.toFixed(1)} ns CPU a reading\n`,
  );
}
