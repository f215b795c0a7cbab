import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { qualities, readingsPerBatchMax, unitNames } from '@meterflow/readings';
import type { ChildSettings } from './child-settings.ts';
import { frameBytesMax, textCharsMax, textsMax, type SandboxLimits } from './limits.ts';

/** How to start a child: the file that Node runs, what stands before it, and what it is told. */
export interface ChildProgram {
  readonly entry: string;
  readonly nodeArguments: readonly string[];
  readonly settings: ChildSettings;
}

export function childProgram(entry: string, limits: SandboxLimits): ChildProgram {
  return {
    entry,
    // Asked for where a child is started: who has its children elsewhere has no addon to look for.
    get nodeArguments() {
      return engineArguments(entry);
    },
    settings: childSettings(limits),
  };
}

/** `child.ts` beside the sources, `sandbox-child.js` beside a bundle. */
export function defaultEntry(): string {
  const source = join(import.meta.dirname, 'child.ts');
  return existsSync(source) ? source : join(import.meta.dirname, 'sandbox-child.js');
}

/**
 * Optimised code only for the first isolate is what concurrent recompilation leaves with isolated-vm, which also can't
 * load into a process that began from Node's snapshot. Node's permission model then takes away writing, child
 * processes, workers, and reading anything but the program itself.
 */
export function engineArguments(entry: string): string[] {
  const engine = ['--no-concurrent-recompilation', '--no-node-snapshot', '--no-warnings'];
  const readable = readableFolders(entry).map((folder) => `--allow-fs-read=${folder}`);
  return [...engine, '--permission', '--allow-addons', ...readable];
}

function readableFolders(entry: string): string[] {
  const { resolve } = createRequire(import.meta.url);
  const addon = resolve('isolated-vm');
  const loader = createRequire(addon).resolve('node-gyp-build');
  // Where node_modules holds links, the child finds the addon by its link and loads it from where that leads.
  const links = (resolve.paths('isolated-vm') ?? []).map((modules) => join(modules, 'isolated-vm')).filter(existsSync);
  // The addon's loader asks which C library the machine has by looking for this file.
  return [
    dirname(realpathSync(entry)),
    import.meta.dirname,
    dirname(addon),
    ...links,
    dirname(loader),
    '/etc/alpine-release',
  ];
}

function childSettings(limits: SandboxLimits): ChildSettings {
  return {
    capacity: readingsPerBatchMax,
    qualities,
    units: unitNames,
    textCharsMax,
    textsMax,
    outputBytesMax: limits.outputBytesMax,
    failuresShownMax: limits.failuresShownMax,
    frameBytesMax,
    isolateMiBMax: limits.isolateMiBMax,
    isolatesMax: limits.isolatesMax,
    residentBytesKept: (limits.residentBytesMax * 3) / 4,
    backstopMs: limits.batchWallMsMax * 2,
  };
}
