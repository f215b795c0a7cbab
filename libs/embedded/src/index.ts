export { EmbeddedSources, type EmbeddedSourcesOptions } from './state/sources.ts';
export { EmbeddedUploads } from './state/uploads.ts';
