import type { GroupSlots } from './group-slots.ts';
import type { KeysInWork } from './keys-in-work.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { StageLimits } from './limits.ts';
import type { Pause } from './pause.ts';
import type { GroupProgress } from './stage-progress.ts';
import type { StagePorts } from './stage-ports.ts';
import type { UnexpectedFailures } from './unexpected-failures.ts';

/** What the parts of a group's runner share; nothing of it knows the stage's types. */
export interface GroupContext extends Omit<StagePorts<never>, 'sink' | 'publisher'> {
  readonly stageName: string;
  readonly limits: StageLimits;
  /** Names this run of this process: the owner of its leases. */
  readonly owner: string;
  /** Aborts to begin the drain. */
  readonly signal: AbortSignal;
  readonly leases: LeaseKeeper;
  readonly progress: GroupProgress;
  /** Shared by all groups of the stage. */
  readonly pause: Pause;
  /** The same. */
  readonly inWork: KeysInWork;
  /** The same. */
  readonly slots: GroupSlots;
  /** The same. */
  readonly unexpected: UnexpectedFailures;
}
