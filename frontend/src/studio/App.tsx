/** The frame around every page: where one is, whether the server answers, and light or dark. */
import { useEffect, useRef, useState } from "preact/hooks";
import { writeHash, type Place } from "../core/hash";
import { choose, chosen, type Choice as Theme } from "../parts/theme";
import { Here, usePlaceRoot } from "./place";
import { socket } from "./socket";
import { Compare } from "./views/Compare";
import { RunPage } from "./views/RunPage";
import { Runs } from "./views/Runs";
import { Train } from "./views/Train";

const themes: readonly (readonly [Theme, string, string])[] = [
  ["system", "◐", "As the system prefers"],
  ["light", "☀", "Light"],
  ["dark", "☾", "Dark"],
];

function ThemeToggle() {
  const [now, setNow] = useState(chosen());
  const at = themes.findIndex(([name]) => name === now);
  const [, sign, title] = themes[at];
  const next = themes[(at + 1) % themes.length];
  return (
    <button
      type="button"
      class="quiet theme"
      aria-label={`Colours: ${title}. Switch to: ${next[2]}`}
      title={`Colours: ${title}`}
      onClick={() => {
        choose(next[0]);
        setNow(next[0]);
      }}
    >
      <span aria-hidden="true">{sign}</span>
    </button>
  );
}

function Connection() {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    let timer = 0;
    const tell = (connected: boolean) => {
      clearTimeout(timer);
      if (connected) setLost(false);
      else timer = window.setTimeout(() => setLost(true), 800); // a reload of the page is no news
    };
    socket.onState.add(tell);
    return () => void socket.onState.delete(tell);
  }, []);
  return <span role="status">{lost && <span class="lost">The studio's process does not answer; trying again …</span>}</span>;
}

const titles: Record<string, string> = { runs: "Runs", train: "Train", compare: "Compare" };

function Page({ place }: { place: Place }) {
  if (place.page === "run" && place.run) return <RunPage key={place.run} run={place.run} view={place.view} />;
  if (place.page === "train") return <Train />;
  if (place.page === "compare") return <Compare />;
  return <Runs />;
}

export function App() {
  const place = usePlaceRoot();
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${place.run ?? titles[place.page]} · Latentia studio`;
  }, [place.page, place.run]);
  return (
    <Here.Provider value={place}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
            <rect width="32" height="32" rx="8" class="brand-ground" />
            <path d="M6 6v20l7-7v-6zM26 6v20l-7-7v-6z" class="brand-sign" />
            <circle cx="16" cy="16" r="2" class="brand-sign" />
          </svg>
          <span>Latentia</span>
        </a>
        <nav aria-label="Pages">
          {Object.entries(titles).map(([page, title]) => (
            <a key={page} href={writeHash({ page })} aria-current={place.page === page || (page === "runs" && place.page === "run") ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <Connection />
        <ThemeToggle />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Page place={place} />
      </main>
    </Here.Provider>
  );
}
