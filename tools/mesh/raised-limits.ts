/**
 * The gateway's environment for loads in which one customer, or one address, stands for a whole crowd: the limits of
 * `services/gateway/config.ts` are a thousand times as high, and still counted.
 */
export const raisedLimits = {
  GATEWAY_READS_PER_SECOND: '200000',
  GATEWAY_READS_BURST: '400000',
  GATEWAY_WRITES_PER_SECOND: '50000',
  GATEWAY_WRITES_BURST: '100000',
  GATEWAY_ORDERS_PER_SECOND: '50000',
  GATEWAY_ORDERS_BURST: '100000',
};
