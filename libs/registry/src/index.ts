export {
  activationLeaseMsDefault,
  Activations,
  initialActivation,
  instantMsMax,
  type ActivationRequest,
  type ActivationsPorts,
} from './activations.ts';
export {
  auditedSteps,
  AuditTrail,
  isAuditPosition,
  whyCharsMax,
  type AuditedAct,
  type AuditedStep,
  type AuditLine,
  type AuditPage,
} from './audit-trail.ts';
export { changeEntry } from './change-entry.ts';
export { IntervalLengths, noIntervalLengths } from './interval-lengths.ts';
export { KeptLengths } from './kept-lengths.ts';
export {
  KeyNotRotatableError,
  Keys,
  roles,
  secretsPerKeyMax,
  UnknownKeyError,
  type ApiKey,
  type IssuedKey,
  type KeysPorts,
  type Principal,
  type Role,
} from './keys.ts';
export {
  Reprocesses,
  reprocessStates,
  UnknownReprocessError,
  type OpenReprocess,
  type Reprocess,
  type ReprocessRequest,
  type ReprocessState,
} from './reprocesses.ts';
export { restoreActivation, UnknownActivationError } from './restore-activation.ts';
export {
  RuleVersions,
  ruleVersionsMax,
  TooManyVersionsError,
  UnknownRuleError,
  type RuleUpload,
  type StoredRule,
} from './rule-versions.ts';
export { UnreadableEntryError } from './parse-entry.ts';
export {
  registryKinds,
  RevisionConflictError,
  type Registry,
  type RegistryEntry,
  type RegistryKind,
} from './registry.ts';
export {
  seriesDefaults,
  SeriesRegistry,
  seriesSettingsMsMax,
  seriesSettingsSchema,
  type SeriesRegistryPorts,
  type SeriesSettings,
  type TagValue,
  type SeriesSettingsPart,
  type SettingsSnapshot,
} from './series-settings.ts';
export {
  quotaDefaults,
  queryableWithinMsDefault,
  queryableWithinMsSchema,
  quotasSchema,
  TenantExistsError,
  Tenants,
  UnknownTenantError,
  type Quotas,
  type Tenant,
  type TenantChange,
} from './tenants.ts';
export { ClosedDaysRegistry, type ClosedDays } from './closed-days.ts';
