/** One file to give away: a run's latent space, with its decoder running in the page. Nothing is ever fetched. */
import { render } from "preact";
import { useState } from "preact/hooks";
import { floats, parseBundle, type Bundle } from "../core/bundle";
import "../parts/base.css";
import { choose, chosen, startTheme, type Choice } from "../parts/theme";
import { Explorer } from "./Explorer";
import "./explorer.css";
import "./page.css";
import { bytesOf, largestDifference, Runtime } from "./runtime";
import { readScene, type Scene } from "./scene";

function Theme() {
  const [now, setNow] = useState<Choice>(chosen());
  const set = (next: Choice) => (choose(next), setNow(next));
  return (
    <div class="choice" role="group" aria-label="Colours">
      {(["system", "light", "dark"] as const).map((one) => (
        <button type="button" aria-pressed={now === one} onClick={() => set(one)}>
          {one}
        </button>
      ))}
    </div>
  );
}

function Page({ scene, runtime, measured }: { scene: Scene; runtime: Runtime; measured: number }) {
  const { facts } = scene;
  const { check } = facts;
  return (
    <>
      <header class="head">
        <div>
          <h1>{facts.title}</h1>
          <p class="muted">{facts.summary}</p>
        </div>
        <Theme />
      </header>
      <main class="stack">
        <Explorer scene={scene} batches={runtime.batches} />
        <section class="panel" aria-labelledby="numbers">
          <h2 id="numbers">The run's numbers</h2>
          <div class="numbers">
            {facts.figures.length > 0 && (
              <table>
                <caption class="muted small">on the test part</caption>
                <tbody>
                  {facts.figures.map((figure) => (
                    <tr key={figure.name}>
                      <th scope="row">{figure.name}</th>
                      <td class="number">{figure.value}</td>
                      <td class="muted small">
                        {figure.unit}
                        {figure.unit && figure.meaning && "; "}
                        {figure.meaning}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <dl class="facts">
              {facts.about.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </div>
          <p class="muted small words">
            The decoder runs here, in this page, and nothing leaves it. When the page was written, it differed from PyTorch by at most {check.max_difference.toExponential(1)} on {check.real.toLocaleString("en")} codes of
            real data and {check.random.toLocaleString("en")} random ones; in this browser, on those kept for the purpose, by at most <span id="measured">{measured.toExponential(1)}</span> ({check.tolerance} is allowed).
          </p>
        </section>
      </main>
      <footer class="muted small">Made with Latentia. One file; it needs no network.</footer>
    </>
  );
}

/** What the decoder gives on the latents that were kept, against PyTorch's answers. */
async function compare(runtime: Runtime, bundle: Bundle): Promise<number> {
  const z = floats(bundle, "reference_z");
  const labels = bundle.arrays.reference_y?.data;
  const found = await runtime.run(z, z.length / runtime.facts.dim, labels ? Array.from(labels) : null);
  return largestDifference(found, floats(bundle, "reference_x"));
}

async function start(): Promise<void> {
  startTheme();
  const root = document.getElementById("app")!;
  try {
    const [wasm, graph, packed] = await Promise.all(["wasm", "decoder", "scene"].map(bytesOf));
    const bundle = parseBundle(packed);
    const scene = readScene(bundle);
    const runtime = await Runtime.start(wasm, graph, scene.facts);
    const measured = await compare(runtime, bundle);
    if (!(measured <= scene.facts.check.tolerance)) throw new Error(`In this browser the decoder differs from PyTorch by ${measured}, and ${scene.facts.check.tolerance} is allowed: try another browser.`);
    Object.assign(globalThis, { latentia: { scene, runtime, measured } });
    root.replaceChildren();
    render(<Page scene={scene} runtime={runtime} measured={measured} />, root);
    document.documentElement.dataset.ready = "yes";
  } catch (fault) {
    root.replaceChildren(
      Object.assign(document.createElement("p"), { className: "trouble", role: "alert", textContent: `The page cannot start: ${fault instanceof Error ? fault.message : fault}` }),
    );
    document.documentElement.dataset.ready = "no";
  }
}

void start();
