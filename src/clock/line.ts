/** A line through offsets measured with few, large and one-sided errors: Huber-weighted least squares. */

export interface Point {
  x: number;
  y: number;
  /** Its y is certain to half of this, so it weighs 1 / width². */
  widthNs: number;
}

export interface Line {
  rate: number;
  /** Standard error of the rate. */
  rateError: number;
}

interface Weighted extends Point {
  weight: number;
}

/** A residual counts by its square up to here, linearly beyond. */
const scaleNs = 100_000;
/** Each round weighs by the residuals of the one before; further ones change less than a ns. */
const rounds = 12;
/**
 * A few points lie closer to their own line than to the truth. Divided by the degrees of freedom this
 * is near to Student's t: nine times the error for one degree, which shrinks as points are added.
 */
const fewPoints = 8;

/** @param points at least two of different x */
export function fitLine(points: readonly Point[]): Line {
  const certain = points.map((p) => ({ ...p, weight: 1 / Math.max(1, p.widthNs) ** 2 }));
  let weighted: Weighted[] = certain;
  let line = leastSquares(weighted);
  for (let i = 0; i < rounds; i++) {
    const { residual } = line;
    weighted = certain.map((point) => {
      const far = Math.abs(residual(point));
      return far <= scaleNs ? point : { ...point, weight: point.weight * (scaleNs / far) };
    });
    line = leastSquares(weighted);
  }
  return {
    rate: line.rate,
    rateError: Math.min(fromScatter(weighted, line), fromWidths(weighted, line)),
  };
}

function leastSquares(points: readonly Weighted[]) {
  const total = sum(points, ({ weight }) => weight);
  const at = sum(points, ({ weight, x }) => weight * x) / total;
  const height = sum(points, ({ weight, y }) => weight * y) / total;
  const spread = sum(points, ({ weight, x }) => weight * (x - at) ** 2);
  const rate = sum(points, ({ weight, x, y }) => weight * (x - at) * (y - height)) / spread;
  const residual = ({ x, y }: Point) => y - height - rate * (x - at);
  /** How much the rate changes with the y of a point. */
  const lever = ({ weight, x }: Weighted) => (weight * (x - at)) / spread;
  return { rate, residual, lever };
}

type Fit = ReturnType<typeof leastSquares>;

/** From how the points lie about the line. Needs many; says little where few of them weigh much. */
function fromScatter(points: readonly Weighted[], { residual, lever }: Fit): number {
  const variance = sum(points, (point) => (lever(point) * residual(point)) ** 2);
  const count = sum(points, ({ weight }) => weight) ** 2 / sum(points, ({ weight }) => weight ** 2);
  const free = count - 2;
  return free > 0 ? Math.sqrt(variance) * (1 + fewPoints / free) : Number.POSITIVE_INFINITY;
}

/** From what the points can be wrong by: anywhere within their width. Too much where the network is even. */
function fromWidths(points: readonly Weighted[], { lever }: Fit): number {
  return Math.sqrt(sum(points, (point) => (lever(point) * point.widthNs) ** 2 / 12));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
