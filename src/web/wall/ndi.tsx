/** NDI sources on the network: what could be a sensor. They are looked for while the list is open, and not else. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../hub/actions.ts";
import { away } from "../hub/hub.ts";

interface Source {
  name: string;
  address?: string | null;
}

interface Found {
  sources: Source[];
  /** Why more may be there than is listed, with what to do. */
  problems?: string[];
}

/** Between an answer and the next question: each is a search of two seconds. */
const pauseMs = 4000;

export function NdiSources() {
  const shown = useSignal(false);
  return (
    <details
      class="ndi"
      onToggle={({ currentTarget }) => {
        shown.value = currentTarget.open;
      }}
    >
      <summary>NDI sources on the network</summary>
      {shown.value && <Sources />}
    </details>
  );
}

function Sources() {
  const found = useSignal<Found | null>(null);
  const trouble = useSignal("");
  useEffect(() => {
    let timer = 0;
    let open = true;
    const look = async () => {
      if (!document.hidden && !away.value) {
        try {
          found.value = await get<Found>("/api/v1/ndi/sources");
          trouble.value = "";
        } catch (error) {
          trouble.value = (error as Error).message;
        }
      }
      if (open) timer = window.setTimeout(look, pauseMs); // it may have been closed meanwhile
    };
    look();
    return () => {
      open = false;
      window.clearTimeout(timer);
    };
  }, []);

  if (trouble.value) return <p class="refusal">{trouble.value}</p>;
  if (!found.value) return <p class="quiet">Looking…</p>;
  const { sources, problems = [] } = found.value;
  return (
    <>
      {problems.map((problem) => (
        <p key={problem} class="quiet">
          {problem}
        </p>
      ))}
      {sources.length === 0 && <p class="quiet">None is seen so far.</p>}
      <ul>
        {sources.map(({ name, address }) => (
          <li key={name}>
            <strong>{name}</strong> <span class="quiet">{address}</span>
            <code>{`- { kind: ndi, name: camera, source: ${JSON.stringify(name)} }`}</code>
          </li>
        ))}
      </ul>
    </>
  );
}
