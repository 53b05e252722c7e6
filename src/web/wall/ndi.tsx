/** NDI sources on the network: what could be a sensor. They are looked for while the list is open, and not else. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../hub/actions.ts";
import { away } from "../hub/hub.ts";

interface Source {
  name: string;
  address?: string | null;
}

const periodMs = 3000;

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
  const sources = useSignal<Source[] | null>(null);
  const trouble = useSignal("");
  useEffect(() => {
    const look = async () => {
      if (document.hidden || away.value) return;
      try {
        sources.value = (await get<{ sources: Source[] }>("/api/v1/ndi/sources")).sources;
        trouble.value = "";
      } catch (error) {
        trouble.value = (error as Error).message;
      }
    };
    look();
    const timer = setInterval(look, periodMs);
    return () => clearInterval(timer);
  }, []);

  if (trouble.value) return <p class="refusal">{trouble.value}</p>;
  if (!sources.value) return <p class="quiet">Looking…</p>;
  if (sources.value.length === 0) return <p class="quiet">None is seen so far.</p>;
  return (
    <ul>
      {sources.value.map(({ name, address }) => (
        <li key={name}>
          <strong>{name}</strong> <span class="quiet">{address}</span>
          <code>{`- { kind: ndi, name: camera, source: ${JSON.stringify(name)} }`}</code>
        </li>
      ))}
    </ul>
  );
}
