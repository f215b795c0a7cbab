import { expect, test } from 'vitest';
import { deployment, livePush, measured, prices } from './assumptions.ts';
import { dataflowBill, meterflowBill, sharedBill, total } from './bill.ts';

const inputs = { prices, measured, deployment };

test('the bus is paid for each byte that is published and delivered', () => {
  const [pubsub] = meterflowBill(inputs);
  // 5.1 × 3 + 5.1 × 2 + 6.9 × 2 = 39.3 bytes, 30.4 × 10^9 readings, $40 a TiB.
  expect(pubsub?.dollars).toBeCloseTo((39.3 * 30.4e9 * 40) / 2 ** 40, 6);
});

test('ten times the readings cost ten times the bus and the storage, and no more replicas than the peak needs', () => {
  const tenfold = { ...inputs, deployment: { ...deployment, readingsPerDay: deployment.readingsPerDay * 10 } };
  expect(meterflowBill(tenfold)[0]?.dollars).toBeCloseTo(10 * (meterflowBill(inputs)[0]?.dollars ?? 0), 6);
  expect(sharedBill(tenfold)[1]?.dollars).toBeCloseTo(10 * (sharedBill(inputs)[1]?.dollars ?? 0), 6);
  expect(total(meterflowBill(tenfold))).toBeLessThan(10 * total(meterflowBill(inputs)));
});

test('what is stored takes as many nodes as may hold it', () => {
  const [one] = sharedBill({ ...inputs, deployment: { ...deployment, bigtableMonthsKept: 1 } });
  const [two] = sharedBill(inputs);
  // 8.7 bytes, 30.4 × 10^9 readings, 24 months: 5,910 GiB, of 5,120 a node.
  expect(two?.dollars).toBeCloseTo(2 * (one?.dollars ?? 0), 6);
});

test('more CPU for each reading costs more workers', () => {
  const heavy = { ...inputs, measured: { ...measured, beamCpuSecondsPerMillion: 1_000 } };
  expect(total(dataflowBill(heavy))).toBeGreaterThan(total(dataflowBill(inputs)));
});

test('live push is billed for the CPU and the bytes that it takes, and memory for each vCPU', () => {
  const live = { ...inputs, measured: livePush };
  const [bus, vcpu, memory] = meterflowBill(live);
  const bytes = livePush.acceptedBytes * 3 + livePush.transformedBytes * 2 + livePush.aggregateBytes * 2;
  expect(bus?.dollars).toBeCloseTo((bytes * 30.4e9 * 40) / 2 ** 40, 6);
  // The busiest hour is 4 times the mean one, and 60 % of a vCPU are used.
  const vcpus = (1_000 * livePush.cpuSecondsPerMillion * 4) / 86_400 / 0.6;
  expect(vcpu?.dollars).toBeCloseTo(vcpus * 730 * prices.gkeVcpuPerHour, 6);
  expect(memory?.dollars).toBeCloseTo(730 * (vcpus * prices.gkeMemoryPerGibHour + prices.gkeClusterPerHour), 6);
});
