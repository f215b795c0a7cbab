import type { CrashWorlds } from './world.ts';

/** Loaded when asked for: Google's clients take longer to load than a hundred schedules in memory. */
const sets: Readonly<Record<string, () => Promise<CrashWorlds>>> = {
  memory: async () => (await import('./memory/memory-world.ts')).memoryWorlds,
  embedded: async () => (await import('./embedded-world.ts')).embeddedWorlds,
  google: async () => (await import('./google/google-world.ts')).googleWorlds,
};

export const adapterNames: readonly string[] = Object.keys(sets);

/** The adapters of a name: undefined where there are none. */
export async function worldsOf(name: string): Promise<CrashWorlds | undefined> {
  return Object.hasOwn(sets, name) ? sets[name]?.() : undefined;
}
