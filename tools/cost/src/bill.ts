import type { Deployment, Measured, Prices } from './assumptions.ts';

/** One line of a monthly bill, with the formula that its amount comes from. */
export interface BillLine {
  readonly what: string;
  readonly formula: string;
  readonly dollars: number;
}

export interface Inputs {
  readonly prices: Prices;
  readonly measured: Measured;
  readonly deployment: Deployment;
}

const daysPerMonth = 30.4;
const hoursPerMonth = 730;
const gib = 2 ** 30;
const tib = 2 ** 40;
const secondsPerDay = 86_400;

/** What both pipelines pay alike: the bus in front, the stores behind. */
export function sharedBill({ prices, measured, deployment }: Inputs): readonly BillLine[] {
  const { readingsPerDay, bigtableMonthsKept, bigqueryMonthsKept } = deployment;
  const perMonth = readingsPerDay * daysPerMonth;
  const storedGib = ((measured.storedBytes + measured.aggregatesStoredBytes) * perMonth * bigtableMonthsKept) / gib;
  const nodes = Math.max(deployment.bigtableNodesMin, Math.ceil(storedGib / deployment.bigtableGibPerNodeMax));
  const warehouseGib = (measured.warehouseBytes * 2 * perMonth * bigqueryMonthsKept) / gib;
  return [
    {
      what: 'Bigtable nodes',
      formula: `${nodes} × ${hoursPerMonth} h × $${prices.bigtableNodePerHour}`,
      dollars: nodes * hoursPerMonth * prices.bigtableNodePerHour,
    },
    {
      what: 'Bigtable storage',
      formula: `${round(storedGib)} GiB after ${bigtableMonthsKept} months × $${prices.bigtableSsdPerGibMonth}`,
      dollars: storedGib * prices.bigtableSsdPerGibMonth,
    },
    {
      what: 'BigQuery storage',
      formula: `${round(warehouseGib)} GiB after ${bigqueryMonthsKept} months × $${prices.bigqueryStoragePerGibMonth}; loads are free`,
      dollars: warehouseGib * prices.bigqueryStoragePerGibMonth,
    },
  ];
}

/** Stages as services: three topics instead of shuffles, replicas by backlog. */
export function meterflowBill(inputs: Inputs): readonly BillLine[] {
  const { prices, measured, deployment } = inputs;
  const { readingsPerDay, services, replicasMin, vcpuPerReplicaMin, memoryGibPerReplica, redisGib } = deployment;
  // Accepted goes to the rules and to the raw store: published once, delivered twice.
  const bytes = measured.acceptedBytes * 3 + measured.transformedBytes * 2 + measured.aggregateBytes * 2;
  const busTib = (bytes * readingsPerDay * daysPerMonth) / tib;
  const vcpus = Math.max(services * replicasMin * vcpuPerReplicaMin, peakVcpus(measured.cpuSecondsPerMillion, inputs));
  const memoryGib = Math.max(services * replicasMin * memoryGibPerReplica, vcpus * deployment.memoryGibPerVcpuMin);
  return [
    {
      what: 'Pub/Sub',
      formula: `${round(bytes)} B a reading, published and delivered = ${round(busTib)} TiB × $${prices.pubsubPerTib}`,
      dollars: busTib * prices.pubsubPerTib,
    },
    {
      what: 'GKE vCPU',
      formula: `max(${services} × ${replicasMin} × ${vcpuPerReplicaMin}, peak) = ${round(vcpus)} × ${hoursPerMonth} h × $${prices.gkeVcpuPerHour}`,
      dollars: vcpus * hoursPerMonth * prices.gkeVcpuPerHour,
    },
    {
      what: 'GKE memory and cluster',
      formula: `${round(memoryGib)} GiB × ${hoursPerMonth} h × $${prices.gkeMemoryPerGibHour} + ${hoursPerMonth} h × $${prices.gkeClusterPerHour}`,
      dollars: hoursPerMonth * (memoryGib * prices.gkeMemoryPerGibHour + prices.gkeClusterPerHour),
    },
    {
      what: 'Redis',
      formula: `${redisGib} GiB × ${hoursPerMonth} h × $${prices.redisPerGibHour}`,
      dollars: redisGib * hoursPerMonth * prices.redisPerGibHour,
    },
  ];
}

/** The same job as one managed streaming job, fed by the same batches. */
export function dataflowBill(inputs: Inputs): readonly BillLine[] {
  const { prices, measured, deployment } = inputs;
  const { readingsPerDay, dataflowVcpuPerWorker: vcpuPerWorker, dataflowMemoryGibPerWorker: memory } = deployment;
  const needed = Math.ceil(peakVcpus(measured.beamCpuSecondsPerMillion, inputs) / vcpuPerWorker);
  const workers = Math.max(deployment.dataflowWorkersMin, needed);
  const busTib = (measured.acceptedBytes * 2 * readingsPerDay * daysPerMonth) / tib;
  // Between stages a managed runner carries single elements, which are no smaller than a warehouse row.
  const processedGib = (measured.warehouseBytes * deployment.dataflowPasses * readingsPerDay * daysPerMonth) / gib;
  return [
    {
      what: 'Pub/Sub in front',
      formula: `${round(measured.acceptedBytes * 2)} B a reading = ${round(busTib)} TiB × $${prices.pubsubPerTib}`,
      dollars: busTib * prices.pubsubPerTib,
    },
    {
      what: 'workers, vCPU',
      formula: `max(${deployment.dataflowWorkersMin}, peak) = ${workers} × ${vcpuPerWorker} vCPU × ${hoursPerMonth} h × $${prices.dataflowVcpuPerHour}`,
      dollars: workers * vcpuPerWorker * hoursPerMonth * prices.dataflowVcpuPerHour,
    },
    {
      what: 'workers, memory',
      formula: `${workers} × ${memory} GiB × ${hoursPerMonth} h × $${prices.dataflowMemoryPerGibHour}`,
      dollars: workers * memory * hoursPerMonth * prices.dataflowMemoryPerGibHour,
    },
    {
      what: 'Streaming Engine',
      formula: `${round(processedGib)} GiB between stages × $${prices.dataflowProcessedPerGib}`,
      dollars: processedGib * prices.dataflowProcessedPerGib,
    },
  ];
}

/** What the busiest hour needs, at the utilisation that scaling aims at. */
function peakVcpus(cpuSecondsPerMillion: number, { deployment }: Inputs): number {
  const { readingsPerDay, peakFactor, utilisation } = deployment;
  return ((readingsPerDay / 1e6) * cpuSecondsPerMillion * peakFactor) / secondsPerDay / utilisation;
}

export function total(lines: readonly BillLine[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

const round = (value: number): number => Number(value.toPrecision(3));
