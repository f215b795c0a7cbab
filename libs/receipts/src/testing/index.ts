export { describeSourceErasure, type ErasableSourcesAdapter } from './describe-source-erasure.ts';
export { describeSources, type SourcesAdapter } from './describe-sources.ts';
export { describeUploads, type UploadsAdapter } from './describe-uploads.ts';
export { ScriptedLedger } from './scripted-ledger.ts';
