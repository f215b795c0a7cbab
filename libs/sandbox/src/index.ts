export type { Isolation } from './confinement.ts';
export { ModuleFailureError, readDeclaration } from './declaration.ts';
export { IsolatedSandbox, type IsolatedSandboxOptions, type SandboxIncident } from './isolated-sandbox.ts';
export { sandboxLimits, type SandboxLimits } from './limits.ts';
export { serveChildren, type ChildrenServer, type ServeChildrenOptions } from './serve-children.ts';
export { processUsage, type ProcessUsage } from './process-usage.ts';
export { SandboxUnavailableError } from './sandbox-error.ts';
