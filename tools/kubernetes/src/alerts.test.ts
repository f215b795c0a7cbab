import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { k8sFolder } from './k8s-folder.ts';

const telemetry = join(k8sFolder, 'components/telemetry');
const docs = join(k8sFolder, '../docs');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const rules = parse(readFileSync(join(telemetry, 'alerts.yaml'), 'utf8')) as { groups: { rules: Alert[] }[] };
const alerts = rules.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync(join(telemetry, 'dashboard.json'), 'utf8')) as {
  panels: { targets: { expr: string }[] }[];
};
/** Of kube-state-metrics, and what the recording rules of components make. */
const ofOthers = /^(kube_|meterflow_backlog_)/;

/** Names that stand where a metric does: before a selector, a range or the end of an expression. */
function metricsIn(expr: string): readonly string[] {
  return [...expr.replaceAll(/\{[^}]*\}/g, '{}').matchAll(/[a-z]+_[a-z_]+/g)]
    .map(([name]) => name)
    .filter((name) => !/^(humanize|subscription_id$)/.test(name));
}

test('every alert has a runbook of its own, and every runbook an alert', () => {
  const pages = alerts.map(({ annotations }) => annotations.runbook.replace('docs/runbooks/', ''));
  expect(readdirSync(join(docs, 'runbooks')).toSorted()).toEqual(['README.md', ...pages].toSorted());
  for (const { alert, annotations } of alerts) {
    const page = readFileSync(join(docs, '..', annotations.runbook), 'utf8');
    expect(page.split('\n')[0]).toBe(`# ${alert}`);
    expect(page).toMatch(/\n## Look\n[^]*\n## Do\n/);
  }
  expect(new Set(alerts.map(({ labels }) => labels.severity))).toEqual(new Set(['page', 'ticket']));
});

test('alerts and dashboards ask for metrics that there are', () => {
  const told = readFileSync(join(docs, 'metrics.md'), 'utf8');
  const exprs = [
    ...alerts.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  const asked = new Set(exprs.flatMap(metricsIn).filter((name) => !ofOthers.test(name)));
  expect(asked.size).toBeGreaterThan(15);
  expect([...asked].filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
});
