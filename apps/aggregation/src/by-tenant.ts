/** The inputs of each tenant, in their order. */
export function byTenant<Input extends { readonly tenant: string }>(inputs: readonly Input[]): Map<string, Input[]> {
  const tenants = new Map<string, Input[]>();
  for (const input of inputs) {
    const known = tenants.get(input.tenant);
    if (known === undefined) {
      tenants.set(input.tenant, [input]);
    } else {
      known.push(input);
    }
  }
  return tenants;
}
