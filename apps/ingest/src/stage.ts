// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { InterruptedError, takeIn, type SourceRequest, type TakeInPorts, type TakenIn } from './take-in.ts';
