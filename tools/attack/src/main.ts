import { note, parseOptions, print, refuse, wholeNumber } from '@meterflow/command-line';
import { sandboxLimits } from '@meterflow/sandbox';
import { hostileRule, hostileRules, type HostileRule } from './hostile-rule.ts';
import { held, siege, type SiegeProgress } from './siege.ts';
import { head, line, summary } from './table.ts';

const tellEveryMs = 10_000;

const usage = `npm run attack -- [options]

Runs hostile rules in the sandbox beside honest tenants, and tells what became of them. Exits 0 only if nobody was hurt:
the honest tenants' results are those of an undisturbed run, none came later than a killed child explains, no process is
left over, memory is back where it was, and a version that killed its host is in quarantine.

  --rule FILE     this rule, JavaScript or TypeScript; may be repeated (default: all of tools/attack/rules)
  --times N       how often each is tried, each time as a new version (default 20; the long form is 200)
  --together N    so many tries at once, each by a tenant of its own, beside one round of the honest ones (default 1):
                  with more, these may be as late as so many killed children explain
  --tenants N     honest tenants beside it (default 99)
  --cpu-ms N      CPU time that one batch may take (default ${sandboxLimits.batchCpuMsMax}, as in production)
  --json          one JSON object on standard output`;

const { values } = parseOptions(usage, {
  options: {
    rule: { type: 'string', multiple: true },
    times: { type: 'string', default: '20' },
    together: { type: 'string', default: '1' },
    tenants: { type: 'string', default: '99' },
    'cpu-ms': { type: 'string', default: String(sandboxLimits.batchCpuMsMax) },
    json: { type: 'boolean', default: false },
  },
});
const times = wholeNumber('times', values.times);
const together = wholeNumber('together', values.together);
const honestTenants = wholeNumber('tenants', values.tenants);
const batchCpuMsMax = wholeNumber('cpu-ms', values['cpu-ms']);
const rules = values.rule === undefined ? await hostileRules() : await Promise.all(values.rule.map(named));
if (!values.json) {
  print(head);
}
const report = await siege({
  rules,
  times,
  together,
  honestTenants,
  onProgress: progressTo(rules.length),
  limits: { batchCpuMsMax },
  onReport: (attacked) => {
    if (!values.json) {
      print(line(attacked));
    }
  },
});
if (values.json) {
  const attacks = report.attacks.map((attacked) => ({ ...attacked, fates: Object.fromEntries(attacked.fates) }));
  print(JSON.stringify({ ...report, attacks, held: held(report) }));
} else {
  print(summary(report));
}
process.exitCode = held(report) ? 0 : 1;

function named(file: string): Promise<HostileRule> {
  return hostileRule(file).catch((error: unknown) => refuse(`--rule: ${(error as Error).message}`));
}

/** Tells on standard error how far it is, now and then. */
function progressTo(rules: number): (progress: SiegeProgress) => void {
  const startedMs = performance.now();
  let toldMs = startedMs;
  return ({ rule, tries, rulesDone }) => {
    const nowMs = performance.now();
    if (nowMs - toldMs > tellEveryMs) {
      toldMs = nowMs;
      const cpu = process.cpuUsage();
      const seconds = Math.round((nowMs - startedMs) / 1_000);
      const ownSeconds = Math.round((cpu.user + cpu.system) / 1e6);
      note(
        `${rulesDone} of ${rules} rules; ${rule}: ${tries} of ${times}; ${seconds} s, ${ownSeconds} CPU-s of this process`,
      );
    }
  };
}
