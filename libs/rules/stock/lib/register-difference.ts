// When the stock rules are compiled the file of this name in libs/readings stands here.
export {
  registerDifference,
  type RegisterDifference,
  type RegisterExchange,
  type RegisterFacts,
} from '@meterflow/readings';
