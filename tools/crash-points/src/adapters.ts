import { embeddedWorlds } from './embedded-world.ts';
import { googleWorlds } from './google/google-world.ts';
import { memoryWorlds } from './memory/memory-world.ts';
import type { CrashWorlds } from './world.ts';

const sets: readonly CrashWorlds[] = [memoryWorlds, embeddedWorlds, googleWorlds];

export const adapterNames: readonly string[] = sets.map(({ adapters }) => adapters);

/** The adapters of a name: undefined where there are none. */
export function worldsOf(name: string): CrashWorlds | undefined {
  return sets.find(({ adapters }) => adapters === name);
}
