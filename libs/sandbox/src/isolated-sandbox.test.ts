import { describeSandbox } from '@meterflow/rules/testing';
import { IsolatedSandbox } from './index.ts';

describeSandbox('isolated-vm in child processes', () => new IsolatedSandbox());
