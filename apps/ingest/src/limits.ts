/** Every bound of what is taken in, by name. Those of a tenant are its quotas; those of a line are in libs/formats. */

/** A request's body up to this size waits in memory; a larger one is spooled. */
export const bodyInMemoryBytesMax = 8 * 1024 * 1024;
/** The largest body, as it is sent. A tenant's `bytesPerRequest` may be lower. */
export const bodyBytesMax = 16 * 1024 ** 3;
/** The largest content of a body once it is unpacked: what a compressed bomb can cost. `bytesPerRequest` bounds it too. */
export const unpackedBytesMax = 16 * 1024 ** 3;
/** How far back a packed body may refer to itself (RFC 9659 for zstd): memory that a sender can make us use. */
export const zstdWindowLogMax = 23;

/** Requests that bring readings, in work at once. */
export const requestsInWorkMax = 64;
/** And of one tenant: so that others find room whatever it sends. */
export const requestsInWorkPerTenantMax = requestsInWorkMax / 2;
/** What the bodies in work hold of the memory, together. */
export const bodiesInMemoryBytesMax = 64 * 1024 * 1024;

/** A backlog of the live lane beyond either: pushes are refused until the stages have caught up. */
export const liveBacklogBytesMaxDefault = 256 * 1024 * 1024;
export const liveBacklogAgeMsMaxDefault = 15 * 60_000;
/** How old the look at the backlog may be. */
export const backlogCacheMs = 1_000;
/** What a sender is told to wait. */
export const backlogRetryAfterSeconds = 5;

/** How long a request waits for a bus or a store that is down before it is answered 503; files wait on. */
export const requestPatienceMs = 30_000;

export const idempotencyKeyCharsMax = 200;
export const labelCharsMax = 200;
/** Why a reading is as it is, in the words of who brings it. */
export const readingReasonCharsMax = 200;
/** Readings that one request edits; whoever has more sends several. */
export const readingEditsMax = 1_000;

/** Imports at once; one more is refused until one has ended. */
export const importsAtOnceMax = 4;

export const mappingTextBytesMax = 256 * 1024;
export const mappingsPerTenantMax = 200;
/** Contents that a mapping may have had, all kept for the sources that began under them. */
export const versionsPerMappingMax = 1_000;
/** How old a process's list of a tenant's mappings may be, and of how many tenants it keeps one. */
export const mappingsCacheMs = 2_000;
export const mappingsCachedTenantsMax = 1_000;

/** An upload that is so old was left behind by a process that died. */
export const uploadKeptMs = 24 * 60 * 60_000;
export const uploadSweepEveryMs = 60 * 60_000;

/** How often the drop folder is looked at, and how long a file must have stayed as it is. */
export const dropLookEveryMs = 1_000;
export const dropSteadyMs = 2_000;
/** Files of all tenants that one look takes note of; the others wait for the next. */
export const dropFilesPerLookMax = 10_000;
/** How long a dropped file waits after something failed that is not its fault. */
export const dropRetryMs = 30_000;
/** And the longest that it waits for a quota. */
export const dropQuotaRetryMsMax = 10 * 60_000;

/** Readings that start so close before the end of the retention are refused too: they would be gone before they count. */
export const retentionMarginDays = 1;
