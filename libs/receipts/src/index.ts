export { rejectsShownMax, type Receipt, type Reject, type SourceState } from './receipt.ts';
export {
  ContentConflictError,
  sourceKinds,
  type Acceptance,
  type AcceptanceRequest,
  type Closing,
  type Delivery,
  type SourceKind,
  type Sources,
} from './sources.ts';
