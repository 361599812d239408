/** What the decoder makes of the plane itself, as one picture behind the points. */
import { useMemo } from "preact/hooks";
import type { Bundle } from "../../core/bundle";
import { imagesOf, toRgba } from "../../core/pixels";
import type { Backdrop } from "../../parts/LatentPlane";
import { getBundle, runPath, type RunInfo } from "../api";
import { useCalm, useLoad } from "../ui";
import { useClass } from "./Classes";
import type { Points, View } from "./points";

interface BackdropOptions {
  info: RunInfo;
  points: Points;
  method: string;
  dims: [number, number];
  split: string;
  step: number | null;
  view: View | null;
  on: boolean;
}

/** The part of the plane that is in view, decoded in rows and columns of square pictures. */
export function useBackdrop({ info, points, method, dims, split, step, view, on }: BackdropOptions): { shown: Backdrop | null; error: string | null } {
  const [y] = useClass(info);
  const calm = useCalm(view, 250);
  const bounds = useMemo(() => {
    const positions = points.positions;
    if (!calm) {
      let [low, high] = [Infinity, -Infinity];
      for (const value of positions) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return [low, high, low, high];
    }
    const side = Math.max(calm.width, calm.height) / calm.window.scale / 2;
    return [calm.window.u - side, calm.window.u + side, calm.window.v - side, calm.window.v + side];
  }, [calm, points]);
  const applies = on && points.plane && info.event?.kind === "image" && points.positions.length > 0;
  const found = useLoad(
    applies
      ? (signal) =>
          getBundle(runPath(info.id, "manifold"), { x0: bounds[0], x1: bounds[1], y0: bounds[2], y1: bounds[3], n: 24, plane: method, split, step, y, samples: points.facts.n, ...(method === "raw" ? { x: dims[0], y_axis: dims[1] } : {}) }, signal).then((bundle) => sheetOf(bundle))
      : null,
    [info.id, JSON.stringify(info.stamp), applies, bounds.join(), method, dims.join(), y, step],
  );
  return { shown: applies ? found.value : null, error: applies ? found.error : on && info.event?.kind === "vector" ? "Vectors cannot be drawn behind the points." : null };
}

function sheetOf(bundle: Bundle): Backdrop {
  const frames = imagesOf(bundle);
  const n = Number(bundle.facts.n);
  const { width, height } = frames[0];
  const image = document.createElement("canvas");
  image.width = n * width;
  image.height = n * height;
  const context = image.getContext("2d")!;
  frames.forEach((frame, i) => context.putImageData(new ImageData(toRgba(frame) as Uint8ClampedArray<ArrayBuffer>, width, height), (i % n) * width, Math.floor(i / n) * height));
  const [x0, x1, y0, y1] = ["x0", "x1", "y0", "y1"].map((name) => Number(bundle.facts[name]));
  const [dx, dy] = [(x1 - x0) / (n - 1) / 2, (y1 - y0) / (n - 1) / 2];
  return { image, left: x0 - dx, right: x1 + dx, low: y0 - dy, high: y1 + dy };
}
