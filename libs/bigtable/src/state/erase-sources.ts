import { labelTellsOf, type ErasedTexts, type Receipt, type SourceErasure } from '@meterflow/receipts';
import type { AcceptanceDocuments, FoundDelivery, StoredDelivery } from './acceptance-document.ts';
import type { LineList } from './line-list.ts';
import { withoutMeters } from './source-erasures.ts';

export interface ErasableTexts {
  readonly documents: AcceptanceDocuments;
  readonly rejects: LineList;
  readonly remarks: LineList;
  /** All deliveries of a tenant. */
  readonly sourceIds: (tenant: string) => AsyncIterable<string>;
}

/**
 * Source by source: 1. its label and lines, 2. the receipt that is kept of it, which is made of them. With `isDry` it only
 * counts.
 */
export async function eraseTexts(
  { sourceIds, ...texts }: ErasableTexts,
  { tenant, meter = '', upToMs }: SourceErasure,
  { isDry }: { readonly isDry: boolean },
): Promise<ErasedTexts> {
  let [labels, rejects] = [0, 0];
  const seen = new Set<string>();
  for await (const sourceId of sourceIds(tenant)) {
    const found = await texts.documents.find(sourceId);
    const { acceptance } = found?.document ?? {};
    if (found === undefined || acceptance === undefined || acceptance.acceptedAtMs > upToMs) {
      continue;
    }
    const isNew = !seen.has(acceptance.id);
    seen.add(acceptance.id);
    labels += isNew && labelTellsOf(acceptance.label, meter) ? 1 : 0;
    if (isDry) {
      const blank = (line: Parameters<typeof withoutMeters>[0]) => withoutMeters(line, [meter]);
      for (const list of [texts.rejects, texts.remarks]) {
        rejects += await list.rewrite(sourceId, blank, { isDry });
      }
    } else {
      rejects += await blankSource(texts, found, [meter]);
    }
  }
  return { labels, rejects };
}

/** Blanks what one source says of the meters; resolves to how many lines that were. */
export async function blankSource(
  { documents, rejects, remarks }: Omit<ErasableTexts, 'sourceIds'>,
  found: FoundDelivery,
  meters: readonly string[],
): Promise<number> {
  // 1.
  let lines = 0;
  for (const list of [rejects, remarks]) {
    lines += await list.rewrite(found.sourceId, (line) => withoutMeters(line, meters));
  }
  // 2.
  await documents.change(found.stored.key, (before) => {
    const document = before ?? found.document;
    const { acceptance } = document;
    const isNamed = meters.some((meter) => labelTellsOf(acceptance.label, meter));
    const label = isNamed ? '' : acceptance.label;
    const deliveries = document.deliveries.map((one) => withoutTexts(one, { label, meters }));
    const isSame = !isNamed && deliveries.every((one, index) => one === document.deliveries[index]);
    return Promise.resolve(isSame ? document : { ...document, acceptance: { ...acceptance, label }, deliveries });
  });
  return lines;
}

/** The very same where nothing of its receipt changes. */
function withoutTexts(
  delivery: StoredDelivery,
  { label, meters }: { readonly label: string; readonly meters: readonly string[] },
): StoredDelivery {
  const { receipt } = delivery;
  if (receipt === undefined) {
    return delivery;
  }
  const blank = (lines: Receipt['rejects']) => lines.map((line) => withoutMeters(line, meters));
  const [rejects, remarks] = [blank(receipt.rejects), blank(receipt.remarks)];
  const isSame =
    receipt.label === label &&
    rejects.every((line, index) => line === receipt.rejects[index]) &&
    remarks.every((line, index) => line === receipt.remarks[index]);
  return isSame ? delivery : { ...delivery, receipt: { ...receipt, label, rejects, remarks } };
}
