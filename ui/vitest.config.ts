import { defineConfig } from "vitest/config";
import { PREACT } from "./vite.config";

export default defineConfig({
  resolve: { alias: PREACT },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
