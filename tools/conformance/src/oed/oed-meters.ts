import { fieldsOf, meterColumns, type MeterColumn } from './meter-columns.ts';
import { RefusedUploadError } from './refused-upload-error.ts';

/** What OED keeps of a meter: the fields of its row, empty where it was never told. */
export interface OedMeter {
  /** Names it for ever, as its first identifier did. */
  readonly key: string;
  readonly fields: Readonly<Record<MeterColumn, string>>;
}

type Row = readonly string[];

/** The meters of one installation: made and changed by files, each row in turn, up to the first that is refused. */
export class OedMeters {
  #meters: OedMeter[] = [];

  /** One with all defaults. */
  create(name: string): void {
    this.insert([[name]]);
  }

  /** By its identifier, or, as older senders do, by its name. Throws {@link RefusedUploadError} where there is none. */
  find(by: 'identifier' | 'name', text: string): OedMeter {
    const meter = this.#meters.find(({ fields }) => fields[by] === text);
    if (meter === undefined) {
      throw new RefusedUploadError(`there is no meter of the ${by} ${text}`);
    }
    return meter;
  }

  insert(rows: readonly Row[]): void {
    for (const row of rows) {
      const fields = fieldsOf(row);
      this.#check(fields, undefined);
      this.#meters.push({ key: fields.identifier, fields });
    }
  }

  /** `identifier`: of the one meter that the file is about, which may give it another; else each row names its own. */
  update(rows: readonly Row[], identifier: string | undefined): void {
    for (const row of rows) {
      if (identifier !== undefined && rows.length !== 1) {
        throw new RefusedUploadError(`the identifier ${identifier} for ${rows.length} meters`);
      }
      const before = this.find('identifier', identifier ?? fieldsOf(row).identifier);
      const fields = fieldsOf(row, before.fields);
      this.#check(fields, before);
      this.#meters = this.#meters.map((each) => (each === before ? { ...before, fields } : each));
    }
  }

  #check(fields: OedMeter['fields'], itself: OedMeter | undefined): void {
    const isTaken = this.#meters.some(
      (each) => each !== itself && (each.fields.name === fields.name || each.fields.identifier === fields.identifier),
    );
    const wrong = (Object.keys(meterColumns) as MeterColumn[]).find(
      (column) => fields[column] !== '' && !meterColumns[column].takes(fields[column]),
    );
    if (fields.name === '' || isTaken || wrong !== undefined) {
      const why = wrong === undefined ? 'has no name of its own' : `"${fields[wrong]}" is no ${wrong}`;
      throw new RefusedUploadError(`meter ${fields.name}: ${why}`);
    }
  }
}
