export {
  activationLeaseMsDefault,
  Activations,
  initialActivation,
  type ActivationRequest,
  type ActivationsPorts,
} from './activations.ts';
export {
  auditedStepMsMax,
  auditedSteps,
  auditOutcomes,
  AuditTrail,
  isAuditPosition,
  whyCharsMax,
  type AuditedAct,
  type AuditedResult,
  type AuditedStep,
  type AuditLine,
  type AuditOutcome,
  type AuditPage,
} from './audit-trail.ts';
export { instantMsMax } from './instants.ts';
export { changeEntry } from './change-entry.ts';
export {
  asksFor,
  FilterSyntaxError,
  filterCharsMax,
  filterDepthMax,
  matches,
  parseFilter,
  requirementOf,
  type GroupFilter,
} from './group-filter.ts';
export {
  childrenMax,
  groupDepthMax,
  groupMeter,
  groupOfMeter,
  groupSchema,
  groupsMax,
  qualityPolicies,
  termsMax,
  type GroupDefinition,
  type GroupRequest,
  type GroupSource,
  type GroupsSnapshot,
  type GroupTerm,
  type Member,
  type Membership,
  type MembersPage,
  type QualityPolicy,
} from './groups.ts';
export { groupNameCharsMax } from './group-name.ts';
export { GroupRefusedError, GroupRegistry, UnknownGroupError, type StoredGroup } from './group-registry.ts';
export { Groups, type GroupsPorts } from './groups-of-tenants.ts';
export { noIntervalLengths, type IntervalLengths } from './interval-lengths.ts';
export {
  DueRecomputes,
  dueRenewMs,
  type DueRecompute,
  type DueRecomputesPorts,
  type DueRequest,
  type LeftRecompute,
  type RecomputeScope,
} from './due-recomputes.ts';
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
export {
  calendarNameSchema,
  calendarSchema,
  registerChannel,
  registerOfChannel,
  type CalendarDefinition,
} from './register-calendar.ts';
export {
  CalendarRefusedError,
  RegisterCalendars,
  UnknownCalendarError,
  type CalendarsSnapshot,
  type KnownCalendar,
  type NamedCalendar,
} from './register-calendars.ts';
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
  putsTogetherMax,
  registryKinds,
  RevisionConflictError,
  type Registry,
  type RegistryEntry,
  type RegistryKind,
} from './registry.ts';
export {
  SeriesRegistry,
  type SeriesChange,
  type SeriesEntry,
  type SeriesRegistryPorts,
  type SettingsSnapshot,
  type TouchedSeries,
} from './series-registry.ts';
export {
  intervalMsAt,
  seriesFactsSchema,
  seriesSettingsPartSchema,
  seriesDefaults,
  seriesSettingsMsMax,
  seriesSettingsSchema,
  tagsAt,
  type IntervalPeriod,
  type SeriesFacts,
  type SettingsEntry,
  type SeriesSettings,
  type SeriesSettingsPart,
  type TagPeriod,
  type Tags,
  type TagValue,
} from './series-settings.ts';
export { periodsOf, stated, statementsMax, valueAt, type Statement, type Timeline, type Validity } from './timeline.ts';
export {
  quotaDefaults,
  queryableWithinMsDefault,
  queryableWithinMsSchema,
  unknownSeriesPolicies,
  type UnknownSeriesPolicy,
  quotasSchema,
  TenantExistsError,
  Tenants,
  UnknownTenantError,
  type Quotas,
  type Tenant,
  type TenantChange,
} from './tenants.ts';
export { closedDaysToldMax, ClosedDaysRegistry, type ClosedDays } from './closed-days.ts';
export { SeriesEnds, seriesEndsPrefix, type SeriesAt } from './series-ends.ts';
export { seriesPath } from './series-path.ts';
export { DaysMade, madeKeptDays, eraseDaysMade, OvertakenError, type KnownMade, type SeriesMade } from './days-made.ts';
export { ToldSince, type SeriesTold } from './told-since.ts';
export { noneUnknown, UnknownSeries, type UnknownNames } from './unknown-series.ts';
