import { LabelTable } from './label-table.ts';
import { VersionTable } from './version-table.ts';

/** The labels and versions that readings in work point to. One for each merge of a group of batches. */
export class Attributes {
  readonly labels = new LabelTable();
  readonly versions = new VersionTable();
}
