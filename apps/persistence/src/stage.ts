// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { aggregatePersistence } from './aggregate-persistence.ts';
export { readingPersistence } from './reading-persistence.ts';
