import { subscriptionsByTopic, warehouseSubscriptionsByTopic } from '@meterflow/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { k8sFolder } from './k8s-folder.ts';
import { manifestFiles } from './manifest-files.ts';
import { ingestStage, scaledStages, warehouseStage } from './scaled-stages.ts';
import { writtenFiles } from './written-files.ts';

test('what follows from the platform file is what stands there: npm run manifests writes it', () => {
  const files = manifestFiles(readFileSync(join(k8sFolder, 'platform.json'), 'utf8'));
  for (const [path, text] of Object.entries(files)) {
    expect(readFileSync(join(k8sFolder, path), 'utf8'), path).toBe(text);
  }
  expect(writtenFiles(k8sFolder)).toEqual(
    Object.keys(files)
      .filter((path) => path.endsWith('.yaml'))
      .toSorted(),
  );
});

test('a lane more is its stages, their autoscalers and their sizes once more', () => {
  const names = Object.keys(manifestFiles('{"lanes":["live","night"]}'));
  expect(names).toContain('lanes/night/kustomization.yaml');
  expect(names).toContain('components/autoscaling-keda/scalers/aggregation-night.yaml');
  expect(names.filter((name) => name.includes('bulk'))).toEqual([]);
});

test('every subscription belongs to one stage', () => {
  const declared: readonly string[] = [
    ...Object.values(subscriptionsByTopic).flat(),
    ...Object.values(warehouseSubscriptionsByTopic).flat(),
  ];
  const read = [...scaledStages, ingestStage, warehouseStage].flatMap(({ subscriptions }) => subscriptions);
  expect(read.toSorted()).toEqual(declared.toSorted());
});
