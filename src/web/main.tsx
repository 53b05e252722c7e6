/** The page. Everything it knows of the hub is in hub/, what it shows of a stream in views/, the rest in wall/. */
import { render } from "preact";
import { watchHub } from "./hub/hub.ts";
import { App } from "./wall/app.tsx";

const root = document.getElementById("page");
if (!root) throw new Error("index.html has no #page");
render(<App />, root);
watchHub();
