export { describeBus, type BusConnection, type BusUnderTest } from './describe-bus.ts';
