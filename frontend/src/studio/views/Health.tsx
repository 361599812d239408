/** What the doctor finds, in plain words, with the setting to change. */
import { getJson, runPath } from "../api";
import { Code, CopyAs, nice, Panel, sentence, Trouble, useLoad } from "../ui";
import type { ViewProps } from "./RunPage";

interface Finding {
  name: string;
  severity: string;
  message: string;
  remedy: string;
  evidence: Record<string, unknown>;
  settings: string[];
}

const words: Record<string, string> = { severe: "Severe", moderate: "Worth a change", mild: "Worth knowing" };

const shown = (value: unknown): string =>
  typeof value === "number" ? nice(value) : Array.isArray(value) ? value.map(shown).join(", ") : value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);

export function Health({ info }: ViewProps) {
  const found = useLoad((signal) => getJson<{ healthy: boolean; findings: Finding[]; missing?: string[] }>(runPath(info.id, "health"), {}, signal), [JSON.stringify(info.stamp)]);
  const findings = found.value?.findings ?? [];
  return (
    <div class="stack">
      {found.error && <Trouble>{found.error}</Trouble>}
      {found.loading && !found.value && <p class="muted">The doctor is looking …</p>}
      {found.value && !findings.length && (
        <div class="healthy">
          <p class="verdict">The doctor finds nothing wrong with this run.</p>
          <p class="muted">The doctor looked for collapse, dead or missing dimensions, over-fitting, unscaled inputs, a misfitting likelihood and training that has not converged.</p>
        </div>
      )}
      {findings.map((finding) => (
        <Panel key={finding.name} class={`finding finding-${finding.severity}`} title={sentence(finding.name.replaceAll("-", " ")).slice(0, -1)} aside={<span class="severity">{words[finding.severity] ?? finding.severity}</span>}>
          <p>{sentence(finding.message)}</p>
          <p>{sentence(finding.remedy)}</p>
          {finding.settings.length > 0 && <Code text={finding.settings.map((setting) => `--set ${setting}`).join(" ")} />}
          {Object.keys(finding.evidence).length > 0 && (
            <details>
              <summary>What this rests on</summary>
              <dl class="evidence">
                {Object.entries(finding.evidence).map(([name, value]) => (
                  <div key={name}>
                    <dt>{name.replaceAll("_", " ")}</dt>
                    <dd>{shown(value)}</dd>
                  </div>
                ))}
              </dl>
            </details>
          )}
        </Panel>
      ))}
      {found.value?.missing?.map((text) => (
        <p key={text} class="muted small">
          {sentence(text)}
        </p>
      ))}
      {info.notes?.length > 0 && (
        <Panel title="What the run noted itself">
          <ul class="notes">
            {info.notes.map((note) => (
              <li key={note}>{sentence(note)}</li>
            ))}
          </ul>
        </Panel>
      )}
      {info.copy.health && <CopyAs {...info.copy.health} />}
    </div>
  );
}
