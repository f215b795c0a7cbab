export {
  blanked,
  labelTellsOf,
  lineTellsOf,
  type ErasableSources,
  type ErasedTexts,
  type SourceErasure,
} from './erased-texts.ts';
export { isFinal, makeReceipt, type SourceFacts } from './make-receipt.ts';
export {
  noRemarks,
  rejectsKeptMax,
  rejectsShownMax,
  rejectTextCharsMax,
  type Receipt,
  type Reject,
  type Remark,
  type RemarkCounts,
  type SourceState,
} from './receipt.ts';
export {
  ContentConflictError,
  sourceKinds,
  UnknownSourceError,
  type Acceptance,
  type AcceptanceRequest,
  type Closing,
  type Delivery,
  type SourceKind,
  type Sources,
} from './sources.ts';
export { uploadPieceBytesMax, UploadTooLargeError, type Upload, type Uploads, type UploadWriter } from './uploads.ts';
