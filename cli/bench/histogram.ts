/**
 * Delays counted in buckets of 20 µs, so that a million samples cost no memory each; and medians.
 * @module
 */
const bucketUs = 20;
/** Four seconds; anything longer is counted in the last bucket. */
const bucketsMax = 200_000;

export type Histogram = { readonly counts: Uint32Array; samples: number };

export function histogram(): Histogram {
  return { counts: new Uint32Array(bucketsMax), samples: 0 };
}

export function addDelay(h: Histogram, delayUs: number): void {
  const bucket = Math.min(bucketsMax - 1, Math.max(0, Math.floor(delayUs / bucketUs)));
  h.counts[bucket] = (h.counts[bucket] as number) + 1;
  h.samples += 1;
}

/**
 * The delay in milliseconds that `share` (0 to 1) of the samples do not exceed; upper edge of its
 * bucket.
 */
export function quantileMs(h: Histogram, share: number): number {
  const rank = Math.ceil(h.samples * share);
  let seen = 0;
  for (let i = 0; i < bucketsMax; i += 1) {
    seen += h.counts[i] as number;
    if (seen >= rank && seen > 0) return ((i + 1) * bucketUs) / 1_000;
  }
  return 0;
}

/** The middle value; the mean of the two middle values of an even count; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
