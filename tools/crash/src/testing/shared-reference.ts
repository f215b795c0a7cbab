import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { makeReference, type Reference } from '../reference.ts';

declare module 'vitest' {
  interface ProvidedContext {
    reference: Reference;
  }
}

const inputs = {
  long: { readings: 60_000, pieces: 8 },
  normal: { readings: 16_000, pieces: 4 },
};

let folder: string;

/** One undisturbed run for all tests: it takes as long as any of them. */
export async function setup(project: TestProject): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-crash-'));
  const input = process.env['METERFLOW_SUITE'] === 'long' ? inputs.long : inputs.normal;
  project.provide('reference', await makeReference(folder, input));
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
