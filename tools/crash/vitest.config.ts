import { mergeConfig } from 'vitest/config';
import { projectTests } from '../../vitest.shared.ts';

export default mergeConfig(projectTests(import.meta.dirname), {
  test: { globalSetup: ['src/testing/shared-reference.ts'] },
});
