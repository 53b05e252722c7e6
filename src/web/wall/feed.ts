/** A live feed for as long as its tile can be seen. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { StreamBody } from "../../api/schemas.ts";
import { LiveFeed } from "../hub/live-feed.ts";
import { isGray16 } from "../views/view.ts";
import { openedName } from "./opened-name.ts";

/** Widest preview of a tile, and of an opened one, in pixels. */
const widths = { tile: 640, opened: 1280 };
/** Colours are made here, pixel by pixel: a tile needs no more of them. */
const depthRateMax = 15;

export function useFeed(stream: StreamBody, place: "tile" | "opened") {
  const element = useRef<HTMLElement>(null);
  const seen = useSignal(false);
  const feed = useRef<LiveFeed | null>(null);
  feed.current ??= new LiveFeed(stream, {
    maxWidth: widths[place],
    maxRate: place === "tile" && isGray16(stream) ? depthRateMax : null,
  });
  const live = feed.current;

  useEffect(() => {
    // Messages speak of other tiles' pictures: theirs are read also where they are not seen.
    const always = stream.kind === "message";
    const look = () => {
      const covered = place === "tile" && openedName.value !== "";
      live.look(!document.hidden && (always || (seen.value && !covered)));
    };
    const observer = new IntersectionObserver((entries) => {
      seen.value = entries.at(-1)?.isIntersecting ?? false; // oldest first
      look();
    });
    if (element.current) observer.observe(element.current);
    document.addEventListener("visibilitychange", look);
    const forget = openedName.subscribe(look);
    return () => {
      forget();
      document.removeEventListener("visibilitychange", look);
      observer.disconnect();
      live.close();
    };
  }, [live]);

  return { element, feed: live };
}
