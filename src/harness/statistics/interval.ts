/** A confidence interval: `low <= high`, both in the unit of the estimate it belongs to. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Coverage, e.g. 0.95: the nominal one, or the exact one where the method knows it. */
  readonly level: number;
}
