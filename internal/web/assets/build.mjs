// See build.sh.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const from = (path) => new URL(`./${path}`, import.meta.url).pathname;
const text = (path) => readFileSync(from(path), "utf8");
mkdirSync(from("dist"), { recursive: true });

execFileSync(from("node_modules/.bin/tailwindcss"), ["--input", from("src/app.css"), "--output", from("dist/app.css"), "--minify"], { stdio: ["ignore", "ignore", "inherit"], cwd: from(".") });

// One declaration block a line, so that a change of the stylesheet is a change of some lines.
writeFileSync(from("dist/app.css"), text("dist/app.css").replaceAll("}", "}\n").replace(/\n{2,}/g, "\n").replaceAll(/\n(}\n)+/g, (all) => all.replaceAll("\n", "") + "\n"));

for (const name of ["app.js", "passkey.js", "submit.js", "icon.svg"]) {
  copyFileSync(from(`src/${name}`), from(`dist/${name}`));
}
const module = (path) => text(`node_modules/${path}`).replace(/\n?\/\/# sourceMappingURL=.*\n?$/, "\n");
writeFileSync(from("dist/htmx.min.js"), "/* htmx.org, Zero-Clause BSD, see THIRD-PARTY.md */\n" + module("htmx.org/dist/htmx.min.js"));
writeFileSync(from("dist/hx-sse.min.js"), "/* htmx.org, Zero-Clause BSD, see THIRD-PARTY.md */\n" + module("htmx.org/dist/ext/hx-sse.min.js"));

// The pictures that package ui names, without their frame.
const icons = {};
for (const [, name] of text("../ui/icons.go").matchAll(/Icon\s*=\s*"([a-z0-9-]+)"/g)) {
  const svg = text(`node_modules/lucide-static/icons/${name}.svg`);
  icons[name] = svg.replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace(/<\/svg>\s*$/, "").replace(/\s*\n\s*/g, "").replaceAll(" />", "/>");
}
writeFileSync(from("../ui/icons.json"), JSON.stringify(icons, null, 1) + "\n");

// For tests only.
copyFileSync(from("node_modules/axe-core/axe.min.js"), from("../browsertest/axe.min.js"));
