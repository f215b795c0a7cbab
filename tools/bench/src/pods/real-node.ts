/**
 * The real node's own address, as pods see it. Set where this process runs inside the node's network: `npm run test:cluster`
 * sees to that, where METERFLOW_REAL_NODE names the scripts of a node that runs.
 */
export const nodeAddress = process.env['METERFLOW_NODE_ADDRESS'];
