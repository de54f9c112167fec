import { createRoot } from "react-dom/client";
import { applyToPage } from "./lib/preferences";
import { App } from "./routes/App";
import "./styles/base.css";
import "./ui/ui.css";

applyToPage();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
