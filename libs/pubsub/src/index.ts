export { pubsubLimits, type PubsubLimits } from './limits.ts';
export {
  provisionSettings,
  type Drift,
  type Provisioning,
  type ProvisionSettings,
  type SubscriptionDeclaration,
  type SubscriptionStart,
} from './provision.ts';
export { PubsubBus, type PubsubOptions } from './pubsub-bus.ts';
