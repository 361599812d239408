/** The studio: a page that watches runs and walks through what they learned. */
import { render } from "preact";
import { startTheme } from "../parts/theme";
import "../parts/base.css";
import "./studio.css";
import { App } from "./App";
import { socket } from "./socket";

startTheme();
socket.connect();
render(<App />, document.getElementById("app")!);
