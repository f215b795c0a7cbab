/** Frames between a sandbox and the server of its children, beside those between a sandbox and a child. Each holds JSON. */
export const socketKind = { start: 100, usage: 101, isolation: 102, ended: 103 } as const;

/** How often a server looks at what a child uses, and tells it where it changed. */
export const usageEveryMs = 20;
