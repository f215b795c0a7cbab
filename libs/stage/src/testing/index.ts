export { describeBus, type BusConnection, type BusUnderTest } from './describe-bus.ts';
export { deadLetter, describeDeadLetterStore, type DeadLetterStoreUnderTest } from './describe-dead-letter-store.ts';
