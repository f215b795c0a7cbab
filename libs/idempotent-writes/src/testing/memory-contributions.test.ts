import { describeContributionStore } from './describe-contribution-store.ts';
import { MemoryContributions } from './memory-contributions.ts';

describeContributionStore(
  'MemoryContributions',
  () => Promise.resolve({ store: new MemoryContributions(), close: () => Promise.resolve() }),
  { isErasable: false },
);
