/** The code that reads this stream, a tab for each language, with a button that copies it. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { StreamBody } from "../../api/schemas.ts";
import { snippetsFor } from "./snippets.ts";

export function Code({ stream }: { stream: StreamBody }) {
  const snippets = snippetsFor(stream);
  const chosen = useSignal(0);
  const copied = useSignal("");
  const tabs = useRef<HTMLDivElement>(null);
  const snippet = snippets[chosen.value] ?? snippets[0];
  if (!snippet) return null;

  const choose = (index: number) => {
    chosen.value = (index + snippets.length) % snippets.length;
    copied.value = "";
    tabs.current?.querySelectorAll("button")[chosen.value]?.focus();
  };
  const key = ({ key }: KeyboardEvent) => {
    if (key === "ArrowRight") choose(chosen.value + 1);
    if (key === "ArrowLeft") choose(chosen.value - 1);
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(snippet.code);
      copied.value = "Copied";
    } catch (error) {
      copied.value = `Not copied: ${(error as Error).message}`;
    }
  };

  return (
    <div class="code">
      <div role="tablist" aria-label="Language" ref={tabs} onKeyDown={key}>
        {snippets.map(({ language }, index) => (
          <button
            key={language}
            type="button"
            role="tab"
            id={`tab-${language}`}
            aria-controls="code-panel"
            aria-selected={index === chosen.value}
            tabIndex={index === chosen.value ? 0 : -1}
            onClick={() => choose(index)}
          >
            {language}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="code-panel" aria-labelledby={`tab-${snippet.language}`}>
        <pre tabIndex={0}>{snippet.code}</pre>
        <p class="run">
          <span>
            As <code>{snippet.file}</code> in streamem's folder: <code>{snippet.run}</code>
          </span>
          <button type="button" onClick={copy}>
            Copy
          </button>
          <span role="status">{copied.value}</span>
        </p>
      </div>
    </div>
  );
}
