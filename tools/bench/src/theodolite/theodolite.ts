import { availableParallelism } from 'node:os';
import { note, print } from '@meterflow/command-line';
import { machine } from '../machine.ts';
import { experiment, type Experiment } from './experiment.ts';
import { useCases, type UseCase } from './use-cases.ts';

export interface TheodoliteOptions {
  /** Names of use cases; all of them when absent. */
  readonly cases?: readonly string[];
  /** Loads to try, ascending; those of the case when absent. */
  readonly loads?: readonly number[];
  /** Cores to give; from one up to all there are when absent. */
  readonly cores?: readonly number[];
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly profiles?: string;
  readonly json: boolean;
}

interface Scalability {
  readonly useCase: UseCase;
  readonly experiments: readonly Experiment[];
}

/**
 * The four use cases of the Theodolite benchmarks over the stages of `meterflow dev`. For each number of cores, loads
 * rise until one is not kept up with. True when every result that was kept up with is right.
 */
export async function theodolite(options: TheodoliteOptions): Promise<boolean> {
  const chosen = useCases.filter(({ name }) => options.cases === undefined || options.cases.includes(name));
  const all: Scalability[] = [];
  for (const useCase of chosen) {
    all.push({ useCase, experiments: await experimentsOf(useCase, options) });
  }
  print(options.json ? JSON.stringify({ theodolite: all.map(summary), machine }) : report(all));
  return (
    chosen.length > 0 && all.every(({ experiments }) => experiments.every(({ problems }) => problems.length === 0))
  );
}

async function experimentsOf(useCase: UseCase, options: TheodoliteOptions): Promise<Experiment[]> {
  const { loads = useCase.loads } = options;
  const cores = options.cores ?? Array.from({ length: availableParallelism() }, (_, index) => index + 1);
  const done: Experiment[] = [];
  for (const each of cores) {
    for (const load of loads) {
      note(`${useCase.name}: ${load} ${useCase.loadName} on ${each} core${each === 1 ? '' : 's'} …`);
      const one = await experiment(useCase, { ...options, load, cores: each });
      note(`  lag ${one.lagTrend > 0 ? '+' : ''}${one.lagTrend}/s, ${one.problems.join('; ')}`);
      done.push(one);
      if (!one.keepsUp) {
        break;
      }
    }
  }
  return done;
}

interface Capacity {
  readonly cores: number;
  readonly load: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number | null;
}

interface Demand {
  readonly load: number;
  /** Null: more than was tried. */
  readonly cores: number | null;
}

interface Summary {
  readonly name: string;
  readonly title: string;
  readonly loadName: string;
  readonly capacity: readonly Capacity[];
  readonly demand: readonly Demand[];
  readonly experiments: readonly Experiment[];
}

/** As the method defines them: the least resources that keep up with a load, the largest load that resources keep up with. */
function summary({ useCase, experiments }: Scalability): Summary {
  const { name, title, loadName } = useCase;
  const kept = experiments.filter(({ keepsUp }) => keepsUp);
  const cores = [...new Set(experiments.map((each) => each.cores))];
  const loads = [...new Set(experiments.map(({ load }) => load))].toSorted((a, b) => a - b);
  return {
    ...{ name, title, loadName },
    capacity: cores.map((each) => {
      const best = kept.filter((one) => one.cores === each).at(-1);
      return {
        cores: each,
        ...{ load: best?.load ?? 0, recordsPerSecond: best?.recordsPerSecond ?? 0 },
        cpuSecondsPerMillion: best?.cpuSecondsPerMillion ?? null,
      };
    }),
    demand: loads.map((load) => {
      const enough = kept.filter((one) => one.load === load).map((one) => one.cores);
      return { load, cores: enough.length === 0 ? null : Math.min(...enough) };
    }),
    experiments,
  };
}

function report(all: readonly Scalability[]): string {
  const lines = [JSON.stringify(machine)];
  for (const scalability of all) {
    const { name, title, loadName, capacity, demand } = summary(scalability);
    const problems = scalability.experiments.flatMap((each) => each.problems);
    lines.push(
      '',
      `${name}: ${title}`,
      `  ${'cores'.padEnd(8)}${`capacity (${loadName})`.padStart(26)}${'records/s'.padStart(12)}${'CPU-s per million'.padStart(20)}`,
      ...capacity.map(
        ({ cores, load, recordsPerSecond, cpuSecondsPerMillion }) =>
          `  ${String(cores).padEnd(8)}${String(load).padStart(26)}${String(recordsPerSecond).padStart(12)}` +
          String(cpuSecondsPerMillion ?? '–').padStart(20),
      ),
      `  demand: ${demand.map(({ load, cores }) => `${load}: ${cores ?? 'more'}`).join(', ')} (${loadName}: cores)`,
      problems.length === 0 ? '  right' : `  WRONG: ${problems.slice(0, 10).join('; ')}`,
    );
  }
  return lines.join('\n');
}
