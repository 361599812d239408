/** The probe in the latent plane: where it stands is decoded, latest wins, and painted past Preact. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { LatestWins } from "../../core/decoder";
import { numberFrom, short } from "../../core/hash";
import type { Pixels } from "../../core/pixels";
import { latentAt, project, type Point } from "../../core/plane";
import { paint } from "../../parts/Picture";
import type { RunInfo } from "../api";
import { useQuery } from "../place";
import { socket } from "../socket";
import { useCalm } from "../ui";
import { useClass } from "./Classes";
import { latentOf, type Points } from "./points";

const SAID_EVERY = 120; // milliseconds

interface ProbeOptions {
  info: RunInfo;
  points: Points;
  step: number | null;
  onNearest: (index: number) => void;
}

/** The probe: its place is sent to the decoder at once, and what comes back is painted past Preact. */
export function useProbe({ info, points, step, onNearest }: ProbeOptions) {
  const [query, setQuery] = useQuery();
  const [y] = useClass(info);
  const canvas = useRef<HTMLCanvasElement>(null);
  const anchor = useRef<Float32Array | null>(null);
  const [z, setZ] = useState<Float32Array | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [at, setAt] = useState<Point | null>(() => (query.u && query.v ? [numberFrom(query.u, 0), numberFrom(query.v, 0)] : null));
  const timer = useRef(0);
  const latest = useRef<{ z: Float32Array | null; at: Point } | null>(null);
  const calmAt = useCalm(at, 300);
  const queue = useMemo(() => {
    const decoder = socket.decoder(info.id, step);
    const show = (pixels: Pixels) => canvas.current && paint(canvas.current, pixels);
    return new LatestWins<Float32Array, Pixels>(
      (wished) => decoder.decode(wished, y),
      (pixels) => {
        show(pixels);
        setError(null);
      },
      (fault) => fault.message !== "overtaken" && setError(fault.message),
    );
  }, [info.id, JSON.stringify(info.stamp), step, y]);
  useEffect(() => () => queue.close(), [queue]);
  useEffect(() => () => clearTimeout(timer.current), []);

  /** What the page says of the probe follows some times a second; the picture and the mark in the plane are at once. */
  const sayLater = () => {
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      if (latest.current?.z) setZ(latest.current.z);
      if (latest.current) setAt(latest.current.at);
    }, SAID_EVERY);
  };

  const move = (u: number, v: number, from: number) => {
    let wished: Float32Array | null = null;
    if (from >= -1) anchor.current = from >= 0 && points.plane ? (latentOf(points, from)?.slice() ?? null) : null;
    if (!points.plane) {
      const index = nearestTo(points.positions, u, v);
      if (index >= 0) onNearest(index);
    } else {
      wished = latentAt(points.plane, u, v, anchor.current);
      queue.push(wished);
    }
    latest.current = { z: wished, at: [u, v] };
    sayLater();
  };

  // A link, a new plane, a new class or new weights: what stands at the probe is decoded again.
  useEffect(() => {
    clearTimeout(timer.current); // what it would say is of another plane
    timer.current = 0;
    if (!points.plane) return;
    const place: Point = at ?? [0, 0];
    const wished = latentAt(points.plane, ...place, anchor.current);
    queue.push(wished);
    setZ(wished);
    if (!at) setAt(project(points.plane, wished));
  }, [queue, points]);
  useEffect(() => {
    if (calmAt) setQuery({ u: short(calmAt[0]), v: short(calmAt[1]) });
  }, [calmAt]);
  return { canvas, at, z, error, move };
}

function nearestTo(positions: Float32Array, u: number, v: number): number {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < positions.length / 2; i++) {
    const distance = (positions[2 * i] - u) ** 2 + (positions[2 * i + 1] - v) ** 2;
    if (distance < least) [least, best] = [distance, i];
  }
  return best;
}
