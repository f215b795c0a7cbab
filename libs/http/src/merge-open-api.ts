interface Document {
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: Readonly<Record<string, object>>;
}

/** One document for several services behind one address: the first one's, with the paths of the others added. */
export function mergeOpenApi(first: object, others: readonly object[]): object {
  const merged: Document = first;
  const paths: Record<string, object> = { ...merged.paths };
  for (const { paths: further = {} } of others as readonly Document[]) {
    for (const [path, operations] of Object.entries(further)) {
      paths[path] = { ...operations, ...paths[path] };
    }
  }
  return { ...merged, paths };
}
