import type { PlantedBug, Running } from '../planted-bug.ts';

const doneTtlMs = 24 * 60 * 60 * 1000;

/** A key is marked done when it is claimed, as if that were enough to absorb duplicates. */
export const doneBeforeWrite: PlantedBug = {
  name: 'done before write',
  story: 'corrections',
  running: <Input, Reads, Write>(running: Running<Input, Reads, Write>): Running<Input, Reads, Write> => {
    const { ports } = running;
    const claimed = new Map<string, string>();
    return {
      ...running,
      ports: {
        ...ports,
        deduper: {
          claim: async (keys, lease) => {
            const claims = await ports.deduper.claim(keys, lease);
            keys.forEach((key, index) => {
              if (claims[index]?.state === 'claimed') {
                claimed.set(key, lease.owner);
              }
            });
            return claims;
          },
          renew: (keys, lease) => ports.deduper.renew(keys, lease),
          markHandling: (keys, owner, handling) => ports.deduper.markHandling(keys, owner, handling),
          done: (keys, mark) => ports.deduper.done(keys, mark),
          release: (keys, owner) => ports.deduper.release(keys, owner),
          forget: (keys, owner) => ports.deduper.forget(keys, owner),
        },
        sink: {
          write: async (writes) => {
            const [owner] = claimed.values();
            if (owner !== undefined) {
              await ports.deduper.done([...claimed.keys()], { owner, doneTtlMs });
              claimed.clear();
            }
            await ports.sink.write(writes);
          },
        },
      },
    };
  },
};
