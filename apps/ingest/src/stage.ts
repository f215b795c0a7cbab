// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { InterruptedError } from './attempt.ts';
export type { SourceRequest, TakeInPorts, TakenIn } from './source-request.ts';
export { takeIn } from './take-in.ts';
