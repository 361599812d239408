/** A small picture to draw on, at the model's own resolution, with a pointer or with the keyboard. */
import { useEffect, useRef } from "preact/hooks";
import { along, brushInk, brushNoise, type Pixels } from "../../core/pixels";
import { paint } from "../../parts/Picture";

export type Brush = "ink" | "erase" | "noise";

interface EaselProps {
  pixels: Pixels;
  /** Counts up when `pixels` were changed from outside. */
  version: number;
  brush: Brush;
  radius: number;
  ink: readonly number[];
  paper: readonly number[];
  noise: number;
  onChange: () => void;
  onRadius: (change: number) => void;
}

export function Easel({ pixels, version, brush, radius, ink, paper, noise, onChange, onRadius }: EaselProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const last = useRef<[number, number] | null>(null);
  const place = useRef<[number, number]>([pixels.width / 2, pixels.height / 2]);
  const show = () => canvas.current && paint(canvas.current, pixels);
  useEffect(() => void show(), [pixels, version]);

  const showCursor = () => {
    const mark = cursor.current;
    if (!mark) return;
    const [x, y] = place.current;
    mark.style.left = `${(100 * (x + 0.5)) / pixels.width}%`;
    mark.style.top = `${(100 * (y + 0.5)) / pixels.height}%`;
    mark.style.width = `${(200 * (radius + 0.5)) / pixels.width}%`;
  };
  useEffect(showCursor);
  const dab = (x: number, y: number) => {
    if (brush === "noise") brushNoise(pixels, x, y, radius + 0.5, noise);
    else brushInk(pixels, x, y, radius, brush === "ink" ? ink : paper);
  };
  const at = (event: PointerEvent): [number, number] => {
    const edge = canvas.current!.getBoundingClientRect();
    return [((event.clientX - edge.left) / edge.width) * pixels.width - 0.5, ((event.clientY - edge.top) / edge.height) * pixels.height - 0.5];
  };
  const stroke = (to: [number, number]) => {
    const from = last.current ?? to;
    for (const [x, y] of along(from, to, brush === "noise" ? Math.max(1, radius) : 0.5)) dab(x, y);
    last.current = to;
    place.current = to;
    show();
    showCursor();
    onChange();
  };
  const key = (event: KeyboardEvent) => {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      const [x, y] = place.current;
      place.current = [Math.max(0, Math.min(pixels.width - 1, x + move[0])), Math.max(0, Math.min(pixels.height - 1, y + move[1]))];
      if (event.shiftKey) stroke(place.current);
      showCursor();
    } else if (event.key === " ") {
      last.current = null;
      stroke(place.current);
      last.current = null;
    } else if (event.key === "[" || event.key === "]") onRadius(event.key === "]" ? 0.5 : -0.5);
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="easel"
      tabIndex={0}
      role="application"
      aria-roledescription="drawing surface"
      aria-label="Draw with the pointer; or move with the arrow keys, dab with Space, draw lines with Shift and the arrow keys; [ and ] change the brush"
      onKeyDown={key}
      onPointerDown={(event) => {
        if (event.button) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        last.current = null;
        stroke(at(event));
      }}
      onPointerMove={(event) => {
        place.current = at(event);
        showCursor();
        if (event.currentTarget.hasPointerCapture(event.pointerId)) stroke(at(event));
      }}
      onPointerUp={() => (last.current = null)}
    >
      <canvas ref={canvas} class="picture" aria-hidden="true" width={1} height={1} />
      <div ref={cursor} class="easel-cursor" aria-hidden="true" />
    </div>
  );
}
