/** z with its standard deviation, a mark for each dimension, beside the prior's ±2. */

interface PosteriorChartProps {
  z: ArrayLike<number>;
  /** Standard deviations; empty for a model without a posterior. */
  scale: ArrayLike<number>;
}

const HEIGHT = 96;

export function PosteriorChart({ z, scale }: PosteriorChartProps) {
  const dims = Math.min(z.length, 64);
  if (!dims) return null;
  const reach = Math.max(2.4, ...Array.from({ length: dims }, (_, i) => Math.abs(z[i]) + (scale[i] ?? 0))) * 1.05;
  const width = Math.max(120, Math.min(260, dims * 24));
  const step = width / dims;
  const y = (value: number) => HEIGHT / 2 - (value / reach) * (HEIGHT / 2);
  const words = Array.from({ length: dims }, (_, i) => `z${i} ${z[i].toFixed(2)}${scale.length ? ` ± ${scale[i].toFixed(2)}` : ""}`);
  return (
    <figure class="posterior">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={words.slice(0, 24).join(", ")}>
        <rect class="band" x="0" width={width} y={y(2)} height={y(-2) - y(2)} />
        <line class="zero" x1="0" x2={width} y1={y(0)} y2={y(0)} />
        {words.map((text, i) => (
          <g key={i}>
            <title>{text}</title>
            {scale.length > 0 && <line class="sd" x1={(i + 0.5) * step} x2={(i + 0.5) * step} y1={y(z[i] - scale[i])} y2={y(z[i] + scale[i])} />}
            <circle class="mean" cx={(i + 0.5) * step} cy={y(z[i])} r={Math.min(3.5, step * 0.4)} />
          </g>
        ))}
      </svg>
      <figcaption class="muted small">
        {dims <= 4 ? words.join(", ").replaceAll("-", "−") : `z of ${z.length} dimensions${scale.length ? " ± one standard deviation" : ""}; the band is ±2`}
      </figcaption>
    </figure>
  );
}
